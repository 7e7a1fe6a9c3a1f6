import type { Client } from 'pg'
import { withClient, type ConnectOptions } from '../../db/migrate/connect.ts'
import type { Clock } from '../../engine/ports.ts'
import { systemClock } from '../../engine/system-clock.ts'
import { openToOwner, type Check } from './check.ts'
import { checkFiles, checkGapless, checkJournals } from './check-journals.ts'
import { checkSchema, checkTables, checkTenants } from './check-restored.ts'
import { checkSequences } from './check-sequences.ts'
import { loadBackup, type Backup } from './load-backup.ts'
import { createScratchDatabase } from './scratch-database.ts'

export interface DrillRequest extends Backup {
  /** Of a login that may make databases and read as `taskforce_backup`: the app's. */
  adminUrl: string
  /** How to sign in where the password is not in the URL. */
  connect?: ConnectOptions
  clock?: Clock
  /** Of the stored file. */
  onProgress?: (bytesRead: number, bytesTotal: number) => void
}

export interface DrillCheck {
  name: string
  ok: boolean
  /** What is wrong, or why there was nothing to look at. */
  detail?: string
}

/** Whether a backup can be restored, shown by doing it. */
export interface DrillReport {
  /** Of the backup. */
  name: string
  ok: boolean
  checks: DrillCheck[]
  durationMs: number
}

/** Of the schema as it was restored. */
const AS_RESTORED: [name: string, check: Check][] = [
  ['schema', checkSchema],
  ['tenants', checkTenants],
]

/** Of all rows, whoever may read them. */
const OF_ROWS: [name: string, check: Check][] = [
  ['tables', checkTables],
  ['gapless', checkGapless],
  ['journals', checkJournals],
  ['files', checkFiles],
  // Last: it writes.
  ['sequences', checkSequences],
]

/**
 * Restores a backup into a scratch database, looks whether it is what was dumped and whether this build can go on with it,
 * and drops the scratch. Whatever is wrong with the backup is a check that failed, and no error.
 * @throws TerminalError `drill_not_allowed`, or of the connection: no drill was made
 */
export async function drill(request: DrillRequest): Promise<DrillReport> {
  const { clock = systemClock } = request
  const begun = clock.monotonic()
  const scratch = await createScratchDatabase(request.adminUrl, request.connect)
  const inScratch = <T>(work: (client: Client) => Promise<T>) => withClient(scratch.url, work, request.connect)
  const checks: DrillCheck[] = []
  try {
    checks.push(await checked('restore', () => inScratch((client) => restoreInto(client, request))))
    const each = async (some: typeof OF_ROWS) => {
      for (const [name, check] of some) {
        checks.push(await checked(name, () => inScratch((client) => check(client, request))))
      }
    }
    if (checks[0]?.ok === true) {
      await each(AS_RESTORED)
      await inScratch(openToOwner)
      await each(OF_ROWS)
    }
  } catch (error) {
    await scratch.drop()
    throw error
  }
  const left = await scratch.drop()
  // All that the backup holds, of every tenant, on the server that it was taken from.
  if (left !== undefined) checks.push({ name: 'dropped', ok: false, detail: `${left}; drop it by hand` })
  return {
    name: request.manifest.name,
    ok: checks.every(({ ok }) => ok),
    checks,
    durationMs: Math.round(clock.monotonic() - begun),
  }
}

async function restoreInto(client: Client, request: DrillRequest): Promise<undefined> {
  await client.query('begin; set local statement_timeout = 0')
  await loadBackup(client, request, { ownTables: true, onProgress: request.onProgress })
  await client.query('commit')
}

async function checked(name: string, check: () => ReturnType<Check>): Promise<DrillCheck> {
  try {
    const wrong = await check()
    if (typeof wrong === 'object') return { name, ok: true, detail: `not looked at: ${wrong.notLookedAt}` }
    return wrong === undefined ? { name, ok: true } : { name, ok: false, detail: wrong }
  } catch (error) {
    return { name, ok: false, detail: error instanceof Error ? error.message : String(error) }
  }
}
