import type { Client } from 'pg'
import { CODE_REVISION } from '../../db/schema-revision.ts'
import { withClient, type ConnectOptions } from '../../db/migrate/connect.ts'
import { countRows } from '../known-backup.ts'
import { isVerified, type Manifest } from '../manifest.ts'
import { liveLeases, readTarget, type LiveLease, type PreviousSchema } from './target.ts'

/** What a restore would do. */
export interface RestorePlan {
  /** Name of the backup, of when it is, and whether it can be trusted to be of the schema of its revision. */
  from: string
  snapshotAt: string
  verified: boolean
  /** What was in the database and is not in the backup. */
  missing: string[]
  /** Host, port and database. */
  into: string
  revisionBefore: number
  revisionInBackup: number
  revisionAfter: number
  tables: number
  rows: number
  /** Of the rows as text, and of the stored file. */
  bytes: number
  storedBytes: number
  /** Instances that work on missions, which have to let go of them first. */
  liveLeases: LiveLease[]
  /** Otherwise it needs `replace`. */
  isEmpty: boolean
  /** What earlier restores moved out of the way. */
  previous: PreviousSchema[]
}

export interface PlanRequest {
  manifest: Manifest
  url: string
  /** How to sign in where the password is not in the URL. */
  connect?: ConnectOptions
}

/** Looks, and changes nothing. Throws TerminalError where the target can't be reached. */
export async function planRestore({ manifest, url, connect }: PlanRequest): Promise<RestorePlan> {
  const { contents, name, stored } = manifest
  const look = async (client: Client) => ({ target: await readTarget(client), leases: await liveLeases(client) })
  const { target, leases } = await withClient(url, look, connect)
  return {
    from: name,
    snapshotAt: contents.snapshotAt,
    verified: isVerified(manifest),
    missing: contents.missing,
    into: target.place,
    revisionBefore: target.revision,
    revisionInBackup: contents.revision,
    revisionAfter: Math.max(contents.revision, CODE_REVISION),
    tables: contents.tables.length,
    rows: countRows(contents),
    bytes: contents.tables.reduce((sum, { bytes }) => sum + bytes, 0),
    storedBytes: stored.bytes,
    liveLeases: leases,
    isEmpty: target.isEmpty,
    previous: target.previous,
  }
}
