import { catalogLine } from '../../db/migrate/catalog.ts'

export interface KnownObjects {
  table(name: string): boolean
  /** Made without a log on purpose: what it holds is of no worth after a crash, nor in a backup. */
  unloggedTable(name: string): boolean
  sequence(name: string): boolean
  column(table: string, name: string): boolean
}

/** What the sections make, asked of their fingerprint. */
export function knownObjects(fingerprint: readonly string[]): KnownObjects {
  const has = (beginning: string) => {
    // As in the lines, where white space of names is one blank each.
    const normal = catalogLine(beginning)
    return fingerprint.some((line) => line === normal || line.startsWith(`${normal} `))
  }
  return {
    table: (name) => has(`table ${name} owner`),
    unloggedTable: (name) => has(`table ${name} owner taskforce_owner unlogged`),
    sequence: (name) => has(`sequence ${name} owner`),
    column: (table, name) => has(`column ${table}.${name}`),
  }
}
