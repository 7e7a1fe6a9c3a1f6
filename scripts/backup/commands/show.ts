import { countRows, describeBackup } from '../../../src/backup/known-backup.ts'
import { count, size } from '../../mission/text.ts'
import type { Context, SharedOptions } from '../context.ts'
import { findBackup } from '../find.ts'
import { open } from '../open.ts'
import { EXIT } from '../run-words.ts'

/** Tells what is in a backup. Exit code 1 for one that is damaged or incomplete. */
export async function show(context: Context, options: SharedOptions, name: string): Promise<number> {
  const { main } = open({ ...options, database: false }, context)
  const backup = await findBackup(main, name)
  const { manifest, state, held } = backup
  if (options.json)
    context.terminal.json({ ...describeBackup(backup), ...(manifest === undefined ? {} : { manifest }) })
  else if (manifest === undefined)
    context.terminal.print([`${backup.name}  ${state}: there is nothing to be read of it`])
  else {
    const { contents, stored, generation, version } = manifest
    context.terminal.print([
      `${backup.name}  ${state}${held ? ', held' : ''}`,
      ...contents.missing.map((line) => `NOT ALL DATA IS IN IT: ${line}`),
      `of ${contents.snapshotAt}, schema revision ${contents.revision}, Postgres ${contents.server.version}, taskforce ${version}, generation ${generation}`,
      `${size(stored.bytes)} stored, ${size(contents.plain.bytes)} of SQL, ${count(countRows(contents))} rows`,
      ...contents.tables.map(
        ({ name: table, rows, bytes }) =>
          `  ${table.padEnd(20)} ${count(rows).padStart(12)} rows ${size(bytes).padStart(10)}`,
      ),
      ...contents.drift.map((line) => `  schema: ${line}`),
    ])
  }
  return state === 'damaged' || state === 'incomplete' ? EXIT.failed : EXIT.done
}
