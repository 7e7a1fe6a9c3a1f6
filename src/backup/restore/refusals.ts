import { TerminalError } from '../../domain/errors.ts'
import { CODE_REVISION } from '../../db/schema-revision.ts'
import { readMigrations } from '../../db/migrate/read-migrations.ts'
import type { Manifest } from '../manifest.ts'
import type { LiveLease, Target } from './target.ts'

/** Codes of what is refused because something would be lost or broken; commands end with 3 for them. Nothing was changed. */
const REFUSED: ReadonlySet<string> = new Set([
  'manifest_missing',
  'schema_too_new',
  'target_not_empty',
  'leases_live',
  'backup_damaged',
  'backup_differs',
  'backup_unreadable',
  'manifest_damaged',
])

/** Whether a restore was refused, and did not just fail: trying it again as it is comes to the same. */
export function isRestoreRefusal(error: unknown): error is TerminalError {
  return error instanceof TerminalError && REFUSED.has(error.code)
}

/** @throws TerminalError `manifest_missing`: without it nobody can tell whether the file is what was dumped */
export function requireManifest(manifest: Manifest | undefined): Manifest {
  if (manifest !== undefined) return manifest
  throw new TerminalError(
    'manifest_missing',
    'The backup has no manifest beside it, so nobody can tell whether its file is whole. Nothing was changed.',
    {
      hint: 'Put its .manifest.json beside it. If there is none left and you trust the file: zstd -dc FILE | psql -X -v ON_ERROR_STOP=1 --single-transaction DATABASE, then npm run restore -- --reconcile.',
    },
  )
}

/** @throws TerminalError `schema_too_new` where this build can't run on the backup's schema, or does not know it */
export async function refuseNewerSchema({ contents }: Manifest): Promise<void> {
  const known = await readMigrations()
  const { revision, minCode } = contents
  if (minCode <= CODE_REVISION && known.some((migration) => migration.revision === revision)) return
  const why =
    minCode > CODE_REVISION
      ? `needs code of revision ${minCode} or later, and this is ${CODE_REVISION}`
      : `is of revision ${revision}, and this build knows ${known.at(-1)?.revision ?? 0} as the newest`
  throw new TerminalError('schema_too_new', `The backup's schema ${why}. Nothing was changed.`, {
    hint: 'Restore it with the build that wrote it, or a newer one.',
  })
}

/** @throws TerminalError `target_not_empty` */
export function refuseToReplace({ isEmpty, place }: Target, replace: boolean): void {
  if (isEmpty || replace) return
  throw new TerminalError('target_not_empty', `${place} holds missions or what belongs to them. Nothing was changed.`, {
    hint: 'With --replace, what is there is moved to a schema taskforce_before_TIME in the same transaction, and kept. Or restore into another database with --into URL.',
  })
}

/** @throws TerminalError `leases_live` where there are any */
export function refuseLeases(leases: readonly LiveLease[], waitedMs: number): void {
  if (leases.length === 0) return
  const who = leases.map(({ instance, host, missions }) => `${instance} on ${host} (${missions})`).join(', ')
  const waited = `after ${Math.round(waitedMs / 1000)} s of waiting`
  throw new TerminalError('leases_live', `Missions are being worked on ${waited}, by ${who}. Nothing was changed.`, {
    hint: 'A call that acts once is waited for. Let the wait be longer, or stop those instances; a lease of one that is gone runs out within a minute.',
  })
}
