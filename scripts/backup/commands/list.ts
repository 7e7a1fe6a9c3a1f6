import { countRows, describeBackup, type KnownBackup } from '../../../src/backup/known-backup.ts'
import { listBackups } from '../../../src/backup/retention/list-backups.ts'
import { count, size } from '../../mission/text.ts'
import type { Context, SharedOptions } from '../context.ts'
import { open } from '../open.ts'
import { EXIT } from '../run-words.ts'

/** Lists the backups, the newest first. Exit code 1 where one is damaged, or has lost its data. */
export async function list(context: Context, options: SharedOptions): Promise<number> {
  const { main } = open({ ...options, database: false }, context)
  const backups = (await listBackups(main)).toSorted((a, b) => (a.name < b.name ? 1 : -1))
  if (options.json) context.terminal.json(backups.map(describeBackup))
  else if (backups.length === 0) context.terminal.print([`No backup in ${main.place}. Make one: npm run backup -- now`])
  else context.terminal.print([...backups.map(lineOf), `in ${main.place}`])
  const isBroken = ({ state, hasManifest }: KnownBackup) =>
    state === 'damaged' || (state === 'incomplete' && hasManifest)
  return backups.some(isBroken) ? EXIT.failed : EXIT.done
}

function lineOf({ name, bytes, state, held, manifest, problem }: KnownBackup): string {
  const rows = manifest === undefined ? '' : `${count(countRows(manifest.contents))} rows`
  const locked = manifest?.stored.encryption === undefined ? '' : '  encrypted'
  return `${name}  ${size(bytes).padStart(9)}  ${rows.padStart(16)}  ${state}${locked}${held ? '  held' : ''}${problem === undefined ? '' : `: ${problem}`}`
}
