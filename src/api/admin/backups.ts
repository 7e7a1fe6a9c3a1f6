import { z } from 'zod'
import { backUp } from '../../backup/back-up.ts'
import type { BackupContext } from '../../backup/context.ts'
import { describeBackup, type KnownBackup } from '../../backup/known-backup.ts'
import { isBackupName } from '../../backup/name.ts'
import { listBackups } from '../../backup/retention/list-backups.ts'
import { runDrill } from '../../backup/run-drill.ts'
import { runPrune } from '../../backup/run-prune.ts'
import { verifyBackup } from '../../backup/verify-backup.ts'
import { TerminalError } from '../../domain/errors.ts'
import { Refusal, type RefusalCode } from '../../missions/refusal.ts'
import type { AdminEndpoint } from '../endpoints.ts'
import { json, type ApiRequest } from '../http.ts'
import { parse } from '../parse.ts'
import { readJson } from '../read-body.ts'

/** The platform ends an answer after 230 s, and the slowest dump that was measured wrote 49 MB a second. */
const LARGEST_IN_A_REQUEST = 8e9
/** Of plain SQL; a restore took 37 MB a second, and the checks half as long again. */
const LARGEST_DRILL = 5e9

/** All backups, the newest first. */
export const list: AdminEndpoint = async (_request, { main }) => {
  const backups = await refusing(() => listBackups(main))
  return json(200, { items: backups.toSorted((a, b) => (a.name < b.name ? 1 : -1)).map(describeBackup) })
}

/** 201 with what was made; the request lasts as long as the backup. */
export const create: AdminEndpoint = async (request, backup) => {
  parse(z.strictObject({}), (await readJson(request, { whenEmpty: {} })).value)
  const report = await refusing(() => backUp(backup, { limitBytes: LARGEST_IN_A_REQUEST }))
  return json(201, report, { location: `/api/v1/admin/backups/${report.name}` })
}

export const read: AdminEndpoint = async (request, backup) => {
  const found = await find(backup, request)
  return json(200, { ...describeBackup(found), ...(found.manifest === undefined ? {} : { manifest: found.manifest }) })
}

/** Reads it to its last byte: 200 with `ok`, and why not. */
export const verify: AdminEndpoint = async (request, backup) => {
  const { name } = await find(backup, request)
  try {
    await verifyBackup(backup.main, name)
    return json(200, { name, ok: true })
  } catch (error) {
    if (!(error instanceof TerminalError) || !DAMAGE.has(error.code)) throw refusalOf(error)
    return json(200, { name, ok: false, why: error.message })
  }
}

const DAMAGE: ReadonlySet<string> = new Set([
  'backup_damaged',
  'backup_differs',
  'backup_missing',
  'backup_unreadable',
  'manifest_damaged',
])

/** Restores it into a database of its own and looks at it: 200 with `ok` and the checks. The request lasts as long as that. */
export const drill: AdminEndpoint = async (request, backup) => {
  const { name, manifest } = await find(backup, request)
  parse(z.strictObject({}), (await readJson(request, { whenEmpty: {} })).value)
  if ((manifest?.contents.plain.bytes ?? 0) > LARGEST_DRILL) {
    throw new Refusal(
      'too_large',
      'A drill of this backup takes longer than a request may. The timer makes one every week; by hand: npm run backup -- drill',
    )
  }
  try {
    return json(200, await runDrill(backup, name))
  } catch (error) {
    if (!(error instanceof TerminalError) || !DAMAGE.has(error.code)) throw refusalOf(error)
    return json(200, { name, ok: false, checks: [{ name: 'manifest', ok: false, detail: error.message }] })
  }
}

/** `{"dryRun"?}`: what went, and what would go. */
export const prune: AdminEndpoint = async (request, backup) => {
  const body = parse(
    z.strictObject({ dryRun: z.boolean().default(false) }),
    (await readJson(request, { whenEmpty: {} })).value,
  )
  return json(200, await refusing(() => runPrune(backup, { justVerified: undefined, byHand: true, ...body })))
}

async function find({ main }: BackupContext, request: ApiRequest): Promise<KnownBackup> {
  const name = new URL(request.url).pathname.split('/')[5] ?? ''
  const found = isBackupName(name)
    ? (await refusing(() => listBackups(main))).find((one) => one.name === name)
    : undefined
  if (found === undefined) throw new Refusal('not_found', 'There is no backup of this name.')
  return found
}

async function refusing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw refusalOf(error)
  }
}

const CODES: Readonly<Record<string, { code: RefusalCode; title?: string }>> = {
  upkeep_running: { code: 'illegal_state', title: 'Another backup or drill is under way' },
  backup_exists: { code: 'illegal_state', title: 'There is a backup of this name' },
  newest_backup_too_old: { code: 'illegal_state', title: 'The newest backup is too old' },
  backup_too_large: { code: 'too_large' },
  backup_missing: { code: 'not_found' },
}

/** What this deployment is to mend is no defect of the request's: 503 with the words for it. */
function refusalOf(error: unknown): unknown {
  if (!(error instanceof TerminalError)) return error
  const detail = error.hint === undefined ? error.message : `${error.message} ${error.hint}`
  const { code, title } = CODES[error.code] ?? { code: 'not_ready' }
  return new Refusal(code, detail, [], title)
}
