import { createHash } from 'node:crypto'
import type { TenantTx } from '../db/connection.ts'
import { inTenant, inTenantAtOnce } from '../db/in-tenant.ts'
import { storeContent } from '../db/queries/contents.ts'
import { insertMission, recordCreation } from '../db/queries/create-mission.ts'
import { send, type Results } from '../db/statement.ts'
import {
  EVENT_VERSION,
  type EventDraft,
  type FileRef,
  type Limits,
  type Message,
  type MissionEvent,
} from '../domain/event.ts'
import { fold } from '../domain/evolve.ts'
import type { EffectiveProfile } from '../domain/profile.ts'
import type { Claim } from '../engine/ports.ts'
import { acceptMission, checkDeadline, goalOf, type Created, type Idempotency, type Made } from './accept-mission.ts'
import type { Caller, MissionsContext } from './context.ts'
import { pinProfile, type Pinned } from './effective-profile.ts'
import { Refusal, takesNothingNew } from './refusal.ts'
import { viewFromJournal } from './view.ts'

export interface NewMissionRequest {
  messages: Message[]
  profile?: string
  files: { name: string; bytes: Buffer }[]
  labels: Record<string, string>
  limits?: Partial<Limits>
  deadline?: string
  priority: number
  metadata?: Record<string, unknown>
  idempotency?: Idempotency
}

/**
 * Accepts a mission: its row, its first event and its files in one commit, then a wake.
 * @param instance one that lives and has room: the mission is its own from the first moment on, where that is allowed
 * @throws Refusal `not_ready` while the deployment drains, or what the request is refused for; no mission was made then.
 */
export async function createMission(
  context: MissionsContext,
  caller: Caller,
  request: NewMissionRequest,
  instance?: string,
): Promise<Created> {
  const { tenantId } = caller
  return acceptMission(context, caller, request.idempotency, async (id, tx) => {
    const statements = prepare(context, { ...request, id, tenantId, instance })
    const given = async (open: TenantTx) => madeBy(await send(open, statements), id, tenantId)
    if (tx !== undefined) return given(tx)
    // What is refused leaves no files behind either, so with files the commit waits for the mission's row.
    if (request.files.length > 0) return inTenant(context.databases.api, tenantId, given)
    return madeBy(await inTenantAtOnce(context.databases.api, tenantId, statements), id, tenantId)
  })
}

/** @throws Refusal `not_ready` where there is no row: the deployment drains */
function madeBy([row, recorded]: Results<ReturnType<typeof prepare>>, id: string, tenantId: string): Made {
  if (row === undefined) throw takesNothingNew()
  const mission = viewFromJournal(row, fold(recorded))
  return row.owner === null ? { mission } : { mission, claim: claimOf(id, tenantId, recorded) }
}

function chooseProfile(context: MissionsContext, name: string): Pinned {
  const file = context.profiles.get(name)
  if (file === undefined) {
    const known = [...context.profiles.keys()].join(', ')
    throw new Refusal('unknown_profile', `There is no profile "${name}". There are: ${known}.`, [
      { pointer: '/profile', detail: `must be one of: ${known}` },
    ])
  }
  return pinProfile(name, file, context.tools)
}

/** What makes the mission, with nothing in it that needs another's result. Throws Refusal before anything is sent. */
function prepare(
  context: MissionsContext,
  request: NewMissionRequest & { id: string; tenantId: string; instance: string | undefined },
) {
  const { id, tenantId, instance, labels, priority, messages } = request
  checkDeadline(request.deadline)
  const { profile, hash } = chooseProfile(context, request.profile ?? context.defaultProfile)
  const files = request.files.map(({ name, bytes }) => {
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    return { ref: { name, bytes: bytes.length, sha256 }, store: storeContent(tenantId, sha256, bytes) }
  })
  const refs = files.map(({ ref }) => ref)
  const pinned = { name: profile.name, hash, body: profile }
  return [
    insertMission({ id, tenantId, goal: goalOf(messages), profile: pinned, labels, priority, instance }),
    recordCreation(id, createdEvent(request, profile, hash, refs), instance),
    // In one order everywhere: two requests with the same files must not wait for each other in a circle.
    ...files.toSorted((a, b) => (a.ref.sha256 < b.ref.sha256 ? -1 : 1)).map(({ store }) => store),
  ] as const
}

/** As if it had been claimed: what is in the journal is known already. */
function claimOf(missionId: string, tenantId: string, events: readonly MissionEvent[]): Claim {
  const [created] = events
  return {
    missionId,
    tenantId,
    epoch: 1,
    profileHash: created?.type === 'mission.created' ? created.data.profile.hash : '',
    inbox: 0,
    crashes: 0,
    limited: false,
    now: events.at(-1)?.at ?? 0,
    began: true,
    events: events.map(({ seq, type, data, at }) => ({ seq, type, data, at, v: EVENT_VERSION })),
  }
}

function createdEvent(
  request: NewMissionRequest,
  profile: EffectiveProfile,
  hash: string,
  files: FileRef[],
): EventDraft {
  const { messages, labels, priority, deadline, metadata } = request
  const limits = { ...profile.limits, ...request.limits }
  const pinned = { name: profile.name, hash }
  return {
    type: 'mission.created',
    data: { messages, profile: pinned, limits, labels, files, priority, deadline, metadata },
  }
}
