import { TerminalError } from '../../domain/errors.ts'
import { catalogLine } from '../../db/migrate/catalog.ts'
import type { Inventory } from './inventory.ts'
import type { KnownObjects } from './known-objects.ts'

/**
 * Rows that the role may not see would be missing without a word. A table or sequence of the schema's own stops the backup with
 * TerminalError `backup_not_allowed`; one that nobody knows, which a restore could not place anyway, becomes a line of drift.
 */
export function refuseUnreadable({ tables, sequences }: Inventory, known: KnownObjects): string[] {
  const hidden = [
    ...tables
      .filter(({ readable, unlogged }) => !readable && !unlogged)
      .map(({ name }) => ({ object: `table ${name}`, isKnown: known.table(name) })),
    ...sequences
      .filter(({ readable }) => !readable)
      .map(({ name }) => ({ object: `sequence ${name}`, isKnown: known.sequence(name) })),
  ]
  const missing = hidden.filter(({ isKnown }) => isKnown).map(({ object }) => object)
  if (missing.length > 0) {
    throw new TerminalError(
      'backup_not_allowed',
      `taskforce_backup may not read all of ${missing.join(', ')}, so a backup would be incomplete, and none was made.`,
      {
        hint: 'Compare the database with its migrations (npm run migrate -- check), and give the right or the policy "reader" back.',
      },
    )
  }
  return hidden.map(
    ({ object }) => `+ ${catalogLine(object)}: taskforce_backup may not read all of it, so it is not in the backup`,
  )
}
