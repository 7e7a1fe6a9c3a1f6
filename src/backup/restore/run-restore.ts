import { recordUpkeep } from '../../db/queries/upkeep.ts'
import { withClient } from '../../db/migrate/connect.ts'
import { restore, type RestoreReport, type RestoreRequest } from './restore.ts'

export interface RestoreRun {
  report: RestoreReport
  /** Why there is no row of it in the upkeep; undefined: there is one. */
  notRecorded: string | undefined
}

/**
 * Restores, and records in the target what came of it, also where it failed, if the target has a place for that. What can't be
 * recorded changes nothing about either: the restore is done, or the failure is what is thrown. Throws like `restore`.
 */
export async function runRestore(request: RestoreRequest & { newId: () => string }): Promise<RestoreRun> {
  const { url, connect = {}, newId, manifest } = request
  const startedAt = new Date()
  const record = (ok: boolean, report: object) => {
    const row = { id: newId(), kind: 'restore', backup: manifest?.name, startedAt, ok, report } as const
    return withClient(url, (client) => recordUpkeep(client, row), connect).then(() => undefined, reasonOf)
  }
  try {
    const report = await restore(request)
    return { report, notRecorded: await record(true, report) }
  } catch (error) {
    await record(false, { why: reasonOf(error) })
    throw error
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
