import { backupName } from '../../src/backup/name.ts'
import { stateOf, type BackupState, type KnownBackup } from '../../src/backup/known-backup.ts'
import type { Manifest } from '../../src/backup/manifest.ts'

export const DAY_MS = 24 * 60 * 60 * 1000
const HASH = 'a'.repeat(64)

/** The manifest of a backup of so many bytes; `drift` makes it an unverified one. */
export function manifestOf(name: string, bytes = 4, drift: string[] = []): Manifest {
  const at = /(\d{4})(\d\d)(\d\d)_(\d\d)(\d\d)(\d\d)$/.exec(name) ?? []
  const snapshotAt = `${at.slice(1, 4).join('-')}T${at.slice(4).join(':')}.000Z`
  return {
    format: 1,
    name,
    file: `${name}.sql.zst`,
    contents: {
      snapshotAt,
      revision: 3,
      minCode: 1,
      migrations: [],
      server: { version: '17.0' },
      missing: [],
      drift,
      tables: [],
      sequences: [],
      plain: { bytes: 100, textSha256: HASH },
    },
    stored: { bytes, sha256: HASH, codec: 'zstd' },
    readBackAt: snapshotAt,
    generation: 0,
    version: '0',
  }
}

/** A backup whose name is of one clock's time and whose file is of the store's. */
export function known(
  at: Date | number,
  state: BackupState = 'verified',
  over: Partial<KnownBackup> = {},
): KnownBackup {
  const createdAt = new Date(at)
  const name = over.name ?? backupName(createdAt)
  const readable = state === 'verified' || state === 'unverified'
  const manifest = readable ? manifestOf(name, 4, state === 'verified' ? [] : ['table x']) : undefined
  return {
    name,
    file: `${name}.sql.zst`,
    bytes: 4,
    createdAt,
    held: false,
    hasManifest: state !== 'incomplete',
    manifest,
    state: manifest === undefined ? state : stateOf(manifest),
    problem: state === 'verified' ? undefined : state,
    ...over,
  }
}
