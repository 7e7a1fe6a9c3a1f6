import { z } from 'zod'
import type { DumpedSequence } from '../manifest.ts'
import { identifier, literal, qualified } from './quote.ts'

/**
 * The form of the plain SQL. Lines that begin with `-- taskforce:` are ours and say what comes next; to psql they are
 * comments. No other line outside the rows begins like that: sections with one are refused, and names never begin a line. Among
 * the rows nothing but their end is looked for.
 */
export const MARK = '-- taskforce:'

/** In order, the rows between `extra`, which is there only where the schema has drifted, and `sequences`. */
export const SECTIONS = ['settings', 'roles', 'membership', 'pre', 'extra', 'sequences', 'post'] as const
export type Section = (typeof SECTIONS)[number]

/**
 * psql goes on after an error by default, and would take a table's rows for commands where their COPY was refused. It is no
 * SQL, so a reader leaves the line out.
 */
export const STOP_AT_ERRORS = '\\set ON_ERROR_STOP on'

export const FIRST_LINE = `${MARK}backup format 1`

/** For people; readers skip everything up to the first section. */
export const OPENING = `${FIRST_LINE}
-- The schema taskforce of one moment. Into a database that has no such schema:
--   zstd -dc FILE | psql -X -v ON_ERROR_STOP=1 --single-transaction DATABASE
${STOP_AT_ERRORS}
`

/** The forms in which the rows' dates are; only intervals would be read differently under another one. */
export const SETTINGS = `set datestyle = 'iso, ymd';
set intervalstyle = 'postgres';
`

const tableSchema = z.strictObject({ table: z.string(), columns: z.array(z.string()) })
export type CopiedTable = z.infer<typeof tableSchema>

export function sectionMark(section: Section): string {
  return `${MARK}section ${section}`
}

/** JSON has no newline of its own, so that a name can't end the comment. */
export function dataMark({ table, columns }: CopiedTable): string {
  return `${MARK}data ${JSON.stringify({ table, columns })}`
}

export function endMark(tables: number, rows: number): string {
  return `${MARK}end ${tables} tables, ${rows} rows`
}

export type Mark =
  | { kind: 'section'; section: Section }
  | { kind: 'data'; table: CopiedTable }
  | { kind: 'end'; tables: number; rows: number }

/** Undefined for a line of ours that the writer would not write. */
export function parseMark(line: string): Mark | undefined {
  const [, word, rest = ''] = /^-- taskforce:(section|data|end) (.*)$/s.exec(line) ?? []
  if (word === 'section') {
    const section = SECTIONS.find((name) => name === rest)
    return section && { kind: 'section', section }
  }
  if (word === 'data') {
    const parsed = tableSchema.safeParse(parseJson(rest))
    return parsed.success ? { kind: 'data', table: parsed.data } : undefined
  }
  const [, tables, rows] = /^(\d+) tables, (\d+) rows$/.exec(rest) ?? []
  return tables === undefined ? undefined : { kind: 'end', tables: Number(tables), rows: Number(rows) }
}

/** Columns by name: a copy may have them in another order. A table may have none, and rows all the same. */
export function copyFrom({ table, columns }: CopiedTable): string {
  return `COPY ${qualified(table)}${columnList(columns)} FROM stdin;`
}

/** The other direction, with the same columns. */
export function copyTo({ table, columns }: CopiedTable): string {
  return `copy ${qualified(table)}${columnList(columns)} to stdout`
}

/** The name is a text here, which knows no `U&"…"`. */
export function setSequence({ name, lastValue, isCalled }: DumpedSequence): string {
  return `SELECT pg_catalog.setval(${literal(`taskforce."${name.replaceAll('"', '""')}"`)}, ${lastValue}, ${isCalled});`
}

function columnList(columns: readonly string[]): string {
  return columns.length === 0 ? '' : ` (${columns.map(identifier).join(', ')})`
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
