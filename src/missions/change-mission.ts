import type { EventDraft, MissionEvent } from '../domain/event.ts'
import { evolve } from '../domain/evolve.ts'
import type { MissionState } from '../domain/state.ts'
import type { TenantTx } from '../db/connection.ts'
import { inTenant } from '../db/in-tenant.ts'
import { isUniqueViolation } from '../db/pg-errors.ts'
import { appendInTransaction } from '../db/queries/append-events.ts'
import { claimKey } from '../db/queries/idempotency-keys.ts'
import { findMission, lockMission, type MissionRow } from '../db/queries/missions.ts'
import { sameRequest, type Idempotency } from './accept-mission.ts'
import type { Caller, MissionsContext } from './context.ts'
import { foldMission, viewIn } from './read-mission.ts'
import { noSuchMission } from './refusal.ts'
import { viewFromJournal, type MissionView } from './view.ts'
import { wake } from './wake.ts'

/** How often the owner's own append may take the next number first. It writes one at a time, so 20 means something is wrong. */
const ATTEMPTS = 20

export interface Change {
  /** What to append, from the state as it is; undefined when there is nothing to change. Throws a Refusal. */
  decide(state: MissionState): EventDraft | undefined
  /** A client's key: what was recorded under it once is not recorded again. */
  idempotency?: Idempotency
  /** The row's change that goes with the event, in the same commit. */
  apply(tx: TenantTx, row: MissionRow, state: MissionState): Promise<void>
}

export interface Changed {
  mission: MissionView
  changed: boolean
  /** The key was used before, for this same request. */
  replayed?: true
}

/**
 * Appends an event from outside the lease: decided on the folded journal, and again whenever the mission's owner was faster.
 * What is refused at first sight takes no lock. What is refused under the lock may have made a claim pass the mission over,
 * and that claim's permit is used up: another one is sent, or the mission would wait for the sweep.
 * @throws Refusal `not_found`, or what `decide` throws; nothing was changed then.
 */
export async function changeMission(
  context: MissionsContext,
  caller: Caller,
  id: string,
  change: Change,
): Promise<Changed> {
  for (let attempt = 1; ; attempt++) {
    let lockedInVain = false
    try {
      return await inTenant(context.databases.api, caller.tenantId, async (tx) => {
        if (change.idempotency !== undefined && (await isRepeated(tx, caller, id, change.idempotency))) {
          return { mission: await viewIn(tx, id), changed: false, replayed: true }
        }
        const unchanged = await atFirstSight(tx, id, change)
        if (unchanged !== undefined) return { mission: unchanged, changed: false }
        lockedInVain = true
        const result = await changeLocked(tx, id, change)
        lockedInVain = !result.changed
        return result
      })
    } catch (error) {
      if (!isUniqueViolation(error) || attempt === ATTEMPTS) throw error
    } finally {
      if (lockedInVain) await wake(context, id)
    }
  }
}

/** @throws Refusal `idempotency_conflict` where the key was used for another request */
async function isRepeated(tx: TenantTx, { tenantId }: Caller, id: string, idempotency: Idempotency): Promise<boolean> {
  if ((await findMission(tx, id)) === undefined) throw noSuchMission()
  const owner = await claimKey(tx, { tenantId, missionId: id, ...idempotency })
  return owner !== undefined && sameRequest(owner, idempotency.fingerprint) === id
}

/** The mission where there is nothing to change. */
async function atFirstSight(tx: TenantTx, id: string, change: Change): Promise<MissionView | undefined> {
  const row = await findMission(tx, id)
  if (row === undefined) throw noSuchMission()
  const state = await foldMission(tx, row)
  return change.decide(state) === undefined ? viewFromJournal(row, state) : undefined
}

async function changeLocked(tx: TenantTx, id: string, change: Change): Promise<Changed> {
  const row = await lockMission(tx, id)
  if (row === undefined) throw noSuchMission()
  const before = await foldMission(tx, row)
  const event = change.decide(before)
  if (event === undefined) return { mission: viewFromJournal(row, before), changed: false }
  const [recorded] = await appendInTransaction(tx, id, before.seq, [event])
  const after = evolve(before, recorded as MissionEvent)
  await change.apply(tx, row, after)
  const changed = (await lockMission(tx, id)) ?? row
  return { mission: viewFromJournal(changed, after), changed: true }
}
