import { countRows } from '../../../src/backup/known-backup.ts'
import { verifyBackup } from '../../../src/backup/verify-backup.ts'
import { count, size } from '../../mission/text.ts'
import type { Context, SharedOptions } from '../context.ts'
import { findBackup } from '../find.ts'
import { open } from '../open.ts'
import { EXIT } from '../run-words.ts'

/** Reads a backup to its last byte. Exit code 1 where it is not what its manifest says. */
export async function verify(context: Context, options: SharedOptions, name: string): Promise<number> {
  const { main } = open({ ...options, database: false }, context)
  const backup = await findBackup(main, name)
  const { contents, stored } = await verifyBackup(main, backup.name)
  const rows = countRows(contents)
  if (options.json)
    context.terminal.json({ name: backup.name, ok: true, rows, bytes: stored.bytes, sha256: stored.sha256 })
  else
    context.terminal.print([
      `${backup.name} is what its manifest says: ${size(stored.bytes)}, ${contents.tables.length} tables, ${count(rows)} rows.`,
    ])
  return EXIT.done
}
