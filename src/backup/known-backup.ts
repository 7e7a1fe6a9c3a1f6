import { isVerified, type Manifest } from './manifest.ts'
import type { BackupName } from './name.ts'

/**
 * `verified`: read back, of the schema that it says, and all its data is there. `unverified`: restorable as far as anyone knows,
 * but its schema differed, or it lacks data. `damaged`: what its manifest says can't be read, or is not so. `incomplete`: one of
 * the two files is missing; data without a manifest is a run that died, or one that is under way.
 */
export type BackupState = 'verified' | 'unverified' | 'damaged' | 'incomplete'

/** A backup as its files in a store say. */
export interface KnownBackup {
  name: BackupName
  /** The data's file; of a manifest without data, the one that it names. */
  file: string
  /** Of the data as it is stored; 0 where it is missing. */
  bytes: number
  /** When the data's file was made, by the store's clock. */
  createdAt: Date
  /** One of its files must not be removed. */
  held: boolean
  /** There is a file of a manifest, whatever it says. Without one, this was never a backup. */
  hasManifest: boolean
  manifest: Manifest | undefined
  state: BackupState
  /** What is wrong with it, in words; undefined of a verified one. */
  problem: string | undefined
}

export function stateOf(manifest: Manifest): 'verified' | 'unverified' {
  return isVerified(manifest) ? 'verified' : 'unverified'
}

/** The verified backup of the newest moment. Not the one that was stored last: copied ones are stored in any order. */
export function newestVerified(backups: readonly KnownBackup[]): KnownBackup | undefined {
  return verifiedBefore(backups, Infinity)
}

/** The verified backup of the newest moment that is not after `time`: what a restore to that time starts from. */
export function backupAt(backups: readonly KnownBackup[], time: Date): KnownBackup | undefined {
  return verifiedBefore(backups, time.getTime())
}

function verifiedBefore(backups: readonly KnownBackup[], end: number): KnownBackup | undefined {
  return verified(backups)
    .map((backup) => ({ backup, at: Date.parse(backup.manifest?.contents.snapshotAt ?? '') }))
    .filter(({ at }) => at <= end)
    .sort((a, b) => a.at - b.at || byAge(a.backup, b.backup))
    .at(-1)?.backup
}

/** The verified backup that was stored last, by the store's clock. */
export function lastStored(backups: readonly KnownBackup[]): KnownBackup | undefined {
  return verified(backups).sort(byAge).at(-1)
}

function verified(backups: readonly KnownBackup[]): KnownBackup[] {
  return backups.filter(({ state }) => state === 'verified')
}

/** Oldest first by the store's clock; of one moment, by name. */
export function byAge(a: KnownBackup, b: KnownBackup): number {
  return a.createdAt.getTime() - b.createdAt.getTime() || (a.name < b.name ? -1 : Number(a.name > b.name))
}

/** What is told of it, as JSON. */
export function describeBackup({ name, bytes, createdAt, state, held, problem, manifest }: KnownBackup): object {
  const { contents, stored } = manifest ?? {}
  return {
    name,
    bytes,
    createdAt: createdAt.toISOString(),
    state,
    verified: state === 'verified',
    held,
    ...(problem === undefined ? {} : { problem }),
    ...(contents === undefined
      ? {}
      : { rows: countRows(contents), snapshotAt: contents.snapshotAt, revision: contents.revision }),
    ...(stored === undefined ? {} : { sha256: stored.sha256, encrypted: stored.encryption !== undefined }),
  }
}

/** Of all tables. */
export function countRows({ tables }: { tables: readonly { rows: number }[] }): number {
  return tables.reduce((sum, { rows }) => sum + rows, 0)
}
