import { catalogLine } from '../../db/migrate/catalog.ts'

export interface KnownObjects {
  table(name: string): boolean
  sequence(name: string): boolean
  column(table: string, name: string): boolean
}

/** What the sections make, asked of their fingerprint. */
export function knownObjects(fingerprint: readonly string[]): KnownObjects {
  const has = (beginning: string) => {
    // As in the lines, where white space of names is one blank each.
    const normal = `${catalogLine(beginning)} `
    return fingerprint.some((line) => line.startsWith(normal))
  }
  return {
    table: (name) => has(`table ${name} owner`),
    sequence: (name) => has(`sequence ${name} owner`),
    column: (table, name) => has(`column ${table}.${name}`),
  }
}
