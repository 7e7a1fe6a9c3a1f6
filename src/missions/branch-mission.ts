import type { TenantTx } from '../db/connection.ts'
import { inTenant } from '../db/in-tenant.ts'
import { insertMission, recordCreation } from '../db/queries/create-mission.ts'
import { findMission, keepMission } from '../db/queries/missions.ts'
import { send } from '../db/statement.ts'
import { MOST_GENERATIONS } from '../domain/branch.ts'
import type { EventDraft, Limits } from '../domain/event.ts'
import { fold } from '../domain/evolve.ts'
import { finalAnswerIsThere } from '../domain/limits.ts'
import type { MissionState } from '../domain/state.ts'
import { foldJournal } from '../engine/fold-journal.ts'
import { acceptMission, checkDeadline, goalOf, type Created, type Idempotency } from './accept-mission.ts'
import { begunLater, refuseActingTwice } from './begun-calls.ts'
import { branchPoint, type BranchRequest } from './branch-point.ts'
import type { Caller, MissionsContext } from './context.ts'
import { journalIn } from './read-mission.ts'
import { noSuchMission, Refusal, takesNothingNew } from './refusal.ts'
import { viewFromJournal, type MissionView } from './view.ts'

/** What is not given is as in the mission that the new one goes on from. */
export interface BranchSettings {
  limits?: Partial<Limits>
  labels?: Record<string, string>
  priority?: number
  deadline?: string
  metadata?: Record<string, unknown>
}

export type BranchMissionRequest = BranchRequest & BranchSettings & { idempotency?: Idempotency }

/**
 * Makes a mission that goes on from another one: it knows what that one knew and has its files, and counts its limits anew.
 * The events that both share are read where they are; the other mission stays as it is.
 * @throws Refusal `not_found`, `illegal_state` where the other mission is not in a state for that, `invalid_request`,
 * `idempotency_conflict`, `not_ready` while the deployment drains; nothing was changed then.
 */
export async function branchMission(
  context: MissionsContext,
  caller: Caller,
  parentId: string,
  request: BranchMissionRequest,
): Promise<Created> {
  return acceptMission(context, caller, request.idempotency, async (id, begun) => {
    const make = (tx: TenantTx) => insert(tx, caller, { id, parentId, request })
    return {
      mission: await (begun === undefined ? inTenant(context.databases.api, caller.tenantId, make) : make(begun)),
    }
  })
}

async function insert(
  tx: TenantTx,
  { tenantId }: Caller,
  { id, parentId, request }: { id: string; parentId: string; request: BranchMissionRequest },
): Promise<MissionView> {
  const parentRow = await findMission(tx, parentId)
  // Retention takes no mission away that another one goes on from, but knows of this one only when it is committed.
  const stays = parentRow?.endedAt == null ? parentRow : await keepMission(tx, parentId)
  if (stays === undefined) throw noSuchMission()
  checkDeadline(request.deadline)
  const shared = await readShared(tx, tenantId, parentId, request)
  const { parent, forkedFrom } = shared
  const event = createdEvent(shared, request)
  const { messages, profile, labels, priority } = event.data
  const [row, recorded] = await send(tx, [
    insertMission({ id, tenantId, goal: goalOf(messages), profile, labels, priority, forkedFrom }),
    recordCreation(id, event),
  ])
  if (row === undefined) throw takesNothingNew()
  return viewFromJournal(row, fold(recorded, parent))
}

/** Up to where both missions are one, the state there, and the ids of calls that are pending there and began later. */
interface Shared {
  parent: MissionState
  forkedFrom: { id: string; seq: number }
  begun: string[]
}

async function readShared(tx: TenantTx, tenantId: string, id: string, request: BranchRequest): Promise<Shared> {
  const journal = journalIn(tx)
  const events = await journal.read(id, 0)
  const seq = branchPoint(events, request)
  const parent = await foldJournal(journal, id, events.slice(0, seq))
  if (parent.generation >= MOST_GENERATIONS) {
    const many = `goes on from ${MOST_GENERATIONS} others, one from the other`
    throw new Refusal('illegal_state', `The mission ${many}, and no more can be added. Create a new one.`)
  }
  if (request.how === 'fork' && request.content === undefined && finalAnswerIsThere(parent)) {
    const detail = 'is needed here: the mission has given its answer. Say what comes next, or give an earlier "seq"'
    throw new Refusal('invalid_request', 'There is nothing left to do at this event.', [
      { pointer: '/content', detail },
    ])
  }
  if (request.how === 'fork' && request.content === undefined) {
    await refuseActingTwice(tx, tenantId, parent, events.slice(seq))
  }
  return { parent, forkedFrom: { id, seq }, begun: await begunLater(journal, events, seq, parent) }
}

function createdEvent(
  { parent, forkedFrom, begun }: Shared,
  request: BranchRequest & BranchSettings,
): Extract<EventDraft, { type: 'mission.created' }> {
  const said = request.how === 'retry' ? undefined : request.content
  const { labels = parent.labels, priority = parent.priority, metadata = parent.metadata } = request
  return {
    type: 'mission.created',
    data: {
      messages: [{ role: 'user', content: said ?? goalOf(parent.messages) }],
      profile: parent.profile,
      limits: { ...parent.limits, ...request.limits },
      labels,
      // The workspace comes with the events that both share.
      files: [],
      priority,
      deadline: request.deadline ?? stillAhead(parent.deadline),
      metadata,
      forkedFrom,
      said,
      begun: begun.length === 0 ? undefined : begun,
    },
  }
}

function stillAhead(deadline: number | undefined): string | undefined {
  return deadline === undefined || deadline <= Date.now() ? undefined : new Date(deadline).toISOString()
}
