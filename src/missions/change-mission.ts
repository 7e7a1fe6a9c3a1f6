import type { EventDraft } from '../domain/event.ts'
import { evolve } from '../domain/evolve.ts'
import type { MissionEvent } from '../domain/event.ts'
import type { MissionState } from '../domain/state.ts'
import type { TenantTx } from '../db/connection.ts'
import { inTenant } from '../db/in-tenant.ts'
import { isUniqueViolation } from '../db/pg-errors.ts'
import { appendInTransaction } from '../db/queries/append-events.ts'
import { lockMission, type MissionRow } from '../db/queries/missions.ts'
import type { Caller, MissionsContext } from './context.ts'
import { foldMission } from './read-mission.ts'
import { noSuchMission } from './refusal.ts'
import { viewFromJournal, type MissionView } from './view.ts'

/** How often the owner's own append may take the next number first. It writes one at a time, so 20 means something is wrong. */
const ATTEMPTS = 20

export interface Change {
  /** What to append, from the state as it is; undefined when there is nothing to change. Throws a Refusal. */
  decide(state: MissionState): EventDraft | undefined
  /** The row's change that goes with the event, in the same commit. */
  apply(tx: TenantTx, row: MissionRow, state: MissionState): Promise<void>
}

/**
 * Appends an event from outside the lease: decided on the folded journal, and again whenever the mission's owner was faster.
 * @throws Refusal `not_found`, or what `decide` throws; nothing was changed then.
 */
export async function changeMission(
  context: MissionsContext,
  caller: Caller,
  id: string,
  change: Change,
): Promise<{ mission: MissionView; changed: boolean }> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await inTenant(context.databases.api, caller.tenantId, (tx) => changeOnce(tx, id, change))
    } catch (error) {
      if (!isUniqueViolation(error) || attempt === ATTEMPTS) throw error
    }
  }
}

async function changeOnce(
  tx: TenantTx,
  id: string,
  change: Change,
): Promise<{ mission: MissionView; changed: boolean }> {
  const row = await lockMission(tx, id)
  if (row === undefined) throw noSuchMission()
  const before = await foldMission(tx, row)
  const event = change.decide(before)
  if (event === undefined) return { mission: viewFromJournal(row, before), changed: false }
  const [recorded] = await appendInTransaction(tx, id, before.seq, [event])
  const after = evolve(before, { ...event, ...recorded } as MissionEvent)
  await change.apply(tx, row, after)
  const changed = (await lockMission(tx, id)) ?? row
  return { mission: viewFromJournal(changed, after), changed: true }
}
