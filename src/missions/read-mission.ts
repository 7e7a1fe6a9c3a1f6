import type { TenantTx } from '../db/connection.ts'
import { inTenant } from '../db/in-tenant.ts'
import { findMission, type MissionRow } from '../db/queries/missions.ts'
import { readEvents } from '../db/queries/read-events.ts'
import { fold } from '../domain/evolve.ts'
import { parseEvent } from '../domain/parse-event.ts'
import type { MissionState } from '../domain/state.ts'
import type { Caller, MissionsContext } from './context.ts'
import { noSuchMission } from './refusal.ts'
import { viewFromJournal, type MissionView } from './view.ts'

/** @throws Refusal `not_found` for an unknown id and for another tenant's alike. */
export async function readMission(context: MissionsContext, caller: Caller, id: string): Promise<MissionView> {
  return inTenant(context.databases.api, caller.tenantId, async (tx) => {
    const row = await findMission(tx, id)
    if (row === undefined) throw noSuchMission()
    return viewFromJournal(row, await foldMission(tx, row))
  })
}

export async function foldMission(tx: TenantTx, row: Pick<MissionRow, 'id'>): Promise<MissionState> {
  return fold((await readEvents(tx, row.id, 0)).map(parseEvent))
}
