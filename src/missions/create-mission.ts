import { createHash } from 'node:crypto'
import type { EventDraft, FileRef, Limits, Message } from '../domain/event.ts'
import { inTenant } from '../db/in-tenant.ts'
import type { TenantTx } from '../db/connection.ts'
import { appendInTransaction } from '../db/queries/append-events.ts'
import { storeContent } from '../db/queries/contents.ts'
import { claimKey } from '../db/queries/idempotency-keys.ts'
import { insertMission } from '../db/queries/missions.ts'
import { fold } from '../domain/evolve.ts'
import type { EffectiveProfile } from '../domain/profile.ts'
import type { Caller, MissionsContext } from './context.ts'
import { pinProfile, type Pinned } from './effective-profile.ts'
import { readMission } from './read-mission.ts'
import { Refusal } from './refusal.ts'
import { viewFromJournal, type MissionView } from './view.ts'
import { wake } from './wake.ts'

export interface NewMissionRequest {
  messages: Message[]
  profile?: string
  files: { name: string; bytes: Buffer }[]
  labels: Record<string, string>
  limits?: Partial<Limits>
  deadline?: string
  priority: number
  metadata?: Record<string, unknown>
  /** A client's key for this request, and the hash of its body. */
  idempotency?: { key: string; fingerprint: string }
}

export interface Created {
  mission: MissionView
  /** The key was used before: this is the mission of that time. */
  replayed: boolean
}

/**
 * Accepts a mission: its row, its first event and its files in one commit, then a wake. The mission is safe from the commit
 * on; a wake that can't be sent is made up for by the sweep.
 */
export async function createMission(
  context: MissionsContext,
  caller: Caller,
  request: NewMissionRequest,
): Promise<Created> {
  const id = context.newId()
  const profile = request.profile ?? context.defaultProfile
  const inserted = await inTenant(context.databases.api, caller.tenantId, (tx) =>
    insert(tx, context, caller, { ...request, id, profile }),
  )
  if ('earlier' in inserted) return { mission: await readMission(context, caller, inserted.earlier), replayed: true }
  const goal = goalOf(request.messages)
  context.telemetry.missionAccepted({ missionId: id, tenantId: caller.tenantId, profile, goal })
  await wake(context, id)
  return { mission: inserted.mission, replayed: false }
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

/**
 * Gives the mission, or the id of an earlier one with the same key, and inserts nothing then. What depends on more than the request
 * (the time, the profiles of this build) is looked at after the key, so that a repeated request never fails where the first
 * one was accepted.
 */
async function insert(
  tx: TenantTx,
  context: MissionsContext,
  caller: Caller,
  request: NewMissionRequest & { id: string; profile: string },
): Promise<{ mission: MissionView } | { earlier: string }> {
  const { tenantId } = caller
  const { id } = request
  if (request.idempotency !== undefined) {
    const owner = await claimKey(tx, { tenantId, missionId: id, ...request.idempotency })
    if (owner !== undefined) return { earlier: sameRequest(owner, request.idempotency.fingerprint) }
  }
  checkDeadline(request.deadline)
  const { profile, hash } = chooseProfile(context, request.profile)
  const { labels, priority, messages } = request
  const row = await insertMission(tx, {
    id,
    tenantId,
    goal: goalOf(messages),
    profile: { name: profile.name, hash, body: profile },
    labels,
    priority,
  })
  const files: FileRef[] = []
  for (const file of request.files) files.push(await storeFile(tx, tenantId, file))
  const recorded = await appendInTransaction(tx, id, 0, [createdEvent(request, profile, hash, files)])
  return { mission: viewFromJournal(row, fold(recorded)) }
}

function checkDeadline(deadline: string | undefined): void {
  if (deadline === undefined || Date.parse(deadline) > Date.now()) return
  throw new Refusal('invalid_request', 'The deadline has passed.', [
    { pointer: '/deadline', detail: 'must be in the future' },
  ])
}

function sameRequest(owner: { missionId: string; fingerprint: string }, fingerprint: string): string {
  if (owner.fingerprint === fingerprint) return owner.missionId
  throw new Refusal(
    'idempotency_conflict',
    'This Idempotency-Key was used for another request. Use a new key for a new mission.',
  )
}

async function storeFile(tx: TenantTx, tenantId: string, file: { name: string; bytes: Buffer }): Promise<FileRef> {
  const sha256 = createHash('sha256').update(file.bytes).digest('hex')
  await storeContent(tx, tenantId, sha256, file.bytes)
  return { name: file.name, bytes: file.bytes.length, sha256 }
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

function goalOf(messages: readonly Message[]): string {
  return messages.findLast(({ role }) => role === 'user')?.content ?? ''
}
