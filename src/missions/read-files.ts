import { inTenant } from '../db/in-tenant.ts'
import { readContent } from '../db/queries/contents.ts'
import { findMission } from '../db/queries/missions.ts'
import type { FileRef } from '../domain/event.ts'
import type { Caller, MissionsContext } from './context.ts'
import { foldMission } from './read-mission.ts'
import { noSuchMission, Refusal } from './refusal.ts'

/** The files of a mission's workspace as it is now. */
export async function listFiles(context: MissionsContext, caller: Caller, id: string): Promise<FileRef[]> {
  return inTenant(context.databases.api, caller.tenantId, async (tx) => {
    const row = await findMission(tx, id)
    if (row === undefined) throw noSuchMission()
    return (await foldMission(tx, row)).files
  })
}

export async function readFile(
  context: MissionsContext,
  caller: Caller,
  id: string,
  name: string,
): Promise<{ file: FileRef; bytes: Buffer }> {
  return inTenant(context.databases.api, caller.tenantId, async (tx) => {
    const row = await findMission(tx, id)
    if (row === undefined) throw noSuchMission()
    const file = (await foldMission(tx, row)).files.find((other) => other.name === name)
    const bytes = file && (await readContent(tx, caller.tenantId, file.sha256))
    if (file === undefined || bytes === undefined)
      throw new Refusal('not_found', 'The mission has no file with this name.')
    return { file, bytes }
  })
}
