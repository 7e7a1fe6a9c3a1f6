import { TerminalError } from '../../domain/errors.ts'
import { catalogLine } from '../../db/migrate/catalog.ts'
import { qualified } from '../plain/quote.ts'
import type { Inventory, LiveTable } from './inventory.ts'
import type { KnownObjects } from './known-objects.ts'

/**
 * Rows that the role may not see would be missing without a word: one of the schema's own tables or sequences stops the backup.
 * @throws TerminalError `backup_not_allowed`
 */
export function refuseUnreadable({ tables, sequences }: Inventory, known: KnownObjects): void {
  const hidden = [
    ...tables.filter((table) => isHidden(table) && known.table(table.name)).map(({ name }) => `table ${name}`),
    ...sequences
      .filter(({ name, readable }) => !readable && known.sequence(name))
      .map(({ name }) => `sequence ${name}`),
  ]
  if (hidden.length === 0) return
  throw new TerminalError(
    'backup_not_allowed',
    `taskforce_backup may not read all of ${hidden.join(', ')}, so a backup would be incomplete, and none was made.`,
    {
      hint: 'Compare the database with its migrations (npm run migrate -- check), and give the right or the policy "reader" back.',
    },
  )
}

/**
 * What is in the database and not in the backup, in words, with the SQL that lets the next one have it: tables that nobody's
 * migration made and that the role may not read all of, those that are unlogged by no migration, and what no backup takes.
 */
export function missingFrom({ tables, sequences, uncovered }: Inventory, known: KnownObjects): string[] {
  const strange = tables.filter(({ name }) => !known.table(name))
  return [
    ...strange.filter(isHidden).map((table) => `${catalogLine(`table ${table.name}`)}: ${unread(grantOf(table))}`),
    ...tables
      .filter(({ name, unlogged }) => unlogged && !known.unloggedTable(name))
      .map(({ name }) => `${catalogLine(`table ${name}`)}: rows of an unlogged table are in no backup`),
    ...sequences
      .filter(({ name, readable }) => !readable && !known.sequence(name))
      .map(
        ({ name }) =>
          `${catalogLine(`sequence ${name}`)}: ${unread(`grant select on ${qualified(name)} to taskforce_backup;`)}`,
      ),
    ...uncovered,
  ]
}

function isHidden({ readable, unlogged }: LiveTable): boolean {
  return !readable && !unlogged
}

function unread(grant: string): string {
  return `taskforce_backup may not read all of it; as its owner run: ${grant}`
}

function grantOf({ name, secured }: LiveTable): string {
  const grant = `grant select on ${qualified(name)} to taskforce_backup;`
  if (!secured) return grant
  return `${grant} create policy taskforce_backup_reads on ${qualified(name)} for select to taskforce_backup using (true);`
}
