import { withClient } from '../db/migrate/connect.ts'
import { readGeneration } from '../db/queries/generation.ts'
import { recordUpkeep } from '../db/queries/upkeep.ts'
import { alone } from './alone.ts'
import { createDataKey } from './codec/data-key.ts'
import { createEncoder } from './codec/encode.ts'
import { CHUNK_BYTES } from './codec/encrypt.ts'
import type { BackupContext } from './context.ts'
import { databaseTime } from './database-time.ts'
import { dump } from './dump/dump.ts'
import { countRows } from './known-backup.ts'
import { encodeManifest, isVerified, type DumpContents, type Encryption, type Manifest } from './manifest.ts'
import { backupName, dataFile, manifestFile } from './name.ts'
import { readBack } from './read-back.ts'
import { copyFile } from './store/copy-offsite.ts'

export interface BackupReport {
  name: string
  bytes: number
  rows: number
  snapshotAt: string
  sha256: string
  durationMs: number
  /** Read back, nothing is missing, and the schema is the one that its revision makes. */
  verified: boolean
  /** What is in the database and not in the backup. */
  missing: string[]
  /** How the schema differs from that of its revision. */
  drift: string[]
  /** What became of the copy; absent: none is configured. */
  offsite?: { ok: true } | { ok: false; why: string }
}

export interface BackUpOptions {
  /** Most bytes of table data that are begun with; absent: any number. */
  limitBytes?: number
  signal?: AbortSignal
  onProgress?: (bytes: number, estimate: number) => void
}

/**
 * Makes one backup: dumps, stores, reads back, and only then writes the manifest that makes it exist; then copies both offsite.
 * What came of it is a row of the upkeep, also where it failed. A copy that fails does not undo the backup.
 * Throws TerminalError, `upkeep_running` where another one is under way; nothing is left behind then.
 */
export async function backUp(context: BackupContext, options: BackUpOptions = {}): Promise<BackupReport> {
  const { databaseUrl, connect, telemetry, newId } = context
  return alone(context, async (client) => {
    const startedAt = await databaseTime(client)
    const name = backupName(startedAt)
    // On a connection of its own: the one that holds the lock may be what was lost.
    const record = (ok: boolean, report: object) =>
      withClient(
        databaseUrl,
        (other) => recordUpkeep(other, { id: newId(), kind: 'backup', backup: name, startedAt, ok, report }),
        connect,
      )
    try {
      const report = await make(context, { name, startedAt, generation: await readGeneration(client) }, options)
      await record(report.verified, report)
      telemetry.backupMade(report)
      return report
    } catch (error) {
      telemetry.backupFailed({ backup: name, error })
      await record(false, { why: reasonOf(error) }).catch((failure: unknown) =>
        telemetry.backupFailed({ backup: name, error: failure }),
      )
      throw error
    }
  })
}

async function make(
  context: BackupContext,
  { name, startedAt, generation }: { name: string; startedAt: Date; generation: number },
  options: BackUpOptions,
): Promise<BackupReport> {
  const begun = performance.now()
  const { main, keyUrl, keyVault, version } = context
  const key = keyUrl === undefined ? undefined : await createDataKey(keyUrl, keyVault)
  const encryption: Encryption | undefined = key && {
    algorithm: 'AES-256-GCM',
    chunkBytes: CHUNK_BYTES,
    ...key.wrapped,
  }
  const file = dataFile(name, key !== undefined)
  const { contents, stored } = await store(context, { file, dataKey: key?.dataKey }, options)
  const full = { ...stored, codec: 'zstd' as const, ...(encryption === undefined ? {} : { encryption }) }
  await readBack(main, file, { contents, stored: full }, key?.dataKey)
  const manifest: Manifest = {
    format: 1,
    name,
    file,
    contents,
    stored: full,
    readBackAt: new Date(startedAt.getTime() + (performance.now() - begun)).toISOString(),
    generation,
    version,
  }
  await main.put(manifestFile(name), encodeManifest(manifest))
  const offsite = await copyOffsite(context, manifest)
  return {
    name,
    bytes: stored.bytes,
    rows: countRows(contents),
    snapshotAt: contents.snapshotAt,
    sha256: stored.sha256,
    durationMs: Math.round(performance.now() - begun),
    verified: isVerified(manifest),
    missing: contents.missing,
    drift: contents.drift,
    ...(offsite === undefined ? {} : { offsite }),
  }
}

async function store(
  { main, version, databaseUrl, connect }: BackupContext,
  { file, dataKey }: { file: string; dataKey: Buffer | undefined },
  options: BackUpOptions,
): Promise<{ contents: DumpContents; stored: { bytes: number; sha256: string } }> {
  const pending = await main.begin(file)
  const encoder = createEncoder((chunk) => pending.write(chunk), dataKey)
  try {
    const contents = await withClient(
      databaseUrl,
      (client) => dump(client, (chunk) => encoder.write(chunk), { version, ...options }),
      { ...connect, name: 'taskforce-backup' },
    )
    const stored = await encoder.end()
    // By hand and last: libraries that upload a stream commit what they have when it ends too early.
    await pending.commit()
    return { contents, stored }
  } catch (error) {
    encoder.destroy()
    await pending.abort()
    throw error
  }
}

/** The manifest last, as in the main store. */
async function copyOffsite(
  { main, offsite, telemetry }: BackupContext,
  manifest: Manifest,
): Promise<BackupReport['offsite']> {
  if (offsite === undefined) return undefined
  const { name, file, stored } = manifest
  try {
    await copyFile(main, offsite, file, stored.sha256)
    await offsite.put(manifestFile(name), encodeManifest(manifest))
    return { ok: true }
  } catch (error) {
    telemetry.backupNotCopied({ backup: name, place: offsite.place, error })
    return { ok: false, why: reasonOf(error) }
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
