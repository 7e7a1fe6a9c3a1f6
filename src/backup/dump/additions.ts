import { identifier, qualified } from '../plain/quote.ts'
import type { Inventory, LiveTable } from './inventory.ts'
import type { KnownObjects } from './known-objects.ts'

/**
 * What a drifted schema has more than its sections: the plainest statements that give the additional rows and values a place
 * when the backup is restored, without keys, defaults or rights. Empty for a schema that has not drifted.
 */
export function additions({ tables, sequences }: Inventory, known: KnownObjects): string {
  return [
    ...tables.filter(isTaken).flatMap((table) => tableAdditions(table, known)),
    ...sequences
      .filter(({ name, readable }) => readable && !known.sequence(name))
      .map(({ name, type }) => `create sequence ${qualified(name)} as ${type};\n`),
  ].join('')
}

/** Whether the table's rows are in the dump. */
export function isTaken({ unlogged, readable }: LiveTable): boolean {
  return readable && !unlogged
}

function tableAdditions({ name, columns }: LiveTable, known: KnownObjects): string[] {
  const define = (column: { name: string; type: string }) => `${identifier(column.name)} ${column.type}`
  if (!known.table(name)) {
    return [`create table ${qualified(name)} (${columns.map(define).join(', ')});\n`]
  }
  return columns
    .filter((column) => !known.column(name, column.name))
    .map((column) => `alter table ${qualified(name)} add column ${define(column)};\n`)
}
