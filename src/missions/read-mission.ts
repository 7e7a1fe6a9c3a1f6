import type { TenantTx } from '../db/connection.ts'
import { inTenant } from '../db/in-tenant.ts'
import { findMission, type MissionRow } from '../db/queries/missions.ts'
import { readEvents } from '../db/queries/read-events.ts'
import { parseEvent } from '../domain/parse-event.ts'
import type { MissionState } from '../domain/state.ts'
import { foldJournal } from '../engine/fold-journal.ts'
import type { Journal } from '../engine/ports.ts'
import type { Caller, MissionsContext } from './context.ts'
import { noSuchMission } from './refusal.ts'
import { viewFromJournal, type MissionView } from './view.ts'

/** @throws Refusal `not_found` for an unknown id and for another tenant's alike. */
export async function readMission(context: MissionsContext, caller: Caller, id: string): Promise<MissionView> {
  return inTenant(context.databases.api, caller.tenantId, (tx) => viewIn(tx, id))
}

/** The same in a transaction that has begun. */
export async function viewIn(tx: TenantTx, id: string): Promise<MissionView> {
  const row = await findMission(tx, id)
  if (row === undefined) throw noSuchMission()
  return viewFromJournal(row, await foldMission(tx, row))
}

export async function foldMission(tx: TenantTx, row: Pick<MissionRow, 'id'>): Promise<MissionState> {
  return foldJournal(journalIn(tx), row.id)
}

/** The journals of the transaction's tenant. */
export function journalIn(tx: TenantTx): Pick<Journal, 'read'> {
  return {
    read: async (missionId, afterSeq, uptoSeq) =>
      (await readEvents(tx, missionId, afterSeq, uptoSeq && uptoSeq - afterSeq)).map(parseEvent),
  }
}
