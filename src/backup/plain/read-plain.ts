import { type ByteReader, readBytes, unreadable } from './byte-reader.ts'
import { type Mark, type Section, FIRST_LINE, MARK, SECTIONS, copyFrom, parseMark } from './form.ts'

/**
 * A piece of a backup. `sql`: the statements of one section. `copy`: a table's rows in COPY's text form, chunks that begin and
 * end anywhere, without the line `\.`; `statement` has its semicolon.
 */
export type Part =
  | { kind: 'sql'; section: Section; text: string }
  | { kind: 'copy'; table: string; columns: string[]; statement: string; rows: AsyncIterable<Buffer> }

/**
 * The parts of the plain SQL in order. A copy's rows have to be read to their end before the next part is asked for. Throws
 * TerminalError `backup_unreadable` where the text ends too early, goes on after its end, or is not of this form.
 * @param onText as with `readBytes`
 */
export async function* readPlain(chunks: AsyncIterable<Buffer>, onText?: (text: Buffer) => void): AsyncGenerator<Part> {
  const reader = readBytes(chunks, onText)
  try {
    yield* readParts(reader)
  } finally {
    await reader.close()
  }
}

async function* readParts(reader: ByteReader): AsyncGenerator<Part> {
  if ((await reader.line()) !== FIRST_LINE) throw unreadable('it does not begin like one')
  let mark = (await readText(reader)).mark
  let [tables, section] = [0, -1]
  while (mark.kind !== 'end') {
    if (mark.kind === 'data') {
      if (section < SECTIONS.indexOf('pre') || section > SECTIONS.indexOf('extra'))
        throw unreadable('rows stand elsewhere')
      tables++
      yield* readCopy(reader, mark)
      mark = await nextMark(reader)
    } else {
      const index = SECTIONS.indexOf(mark.section)
      if (index <= section) throw unreadable(`the section ${mark.section} comes late`)
      section = index
      const { text, mark: next } = await readText(reader)
      if (text.trim() !== '') yield { kind: 'sql', section: mark.section, text }
      mark = next
    }
  }
  if (section !== SECTIONS.length - 1) throw unreadable('it has no last section')
  if (mark.tables !== tables) throw unreadable(`it says that it holds ${mark.tables} tables, and holds ${tables}`)
  if ((await reader.line()) !== undefined) throw unreadable('it goes on after its end')
}

async function* readCopy(reader: ByteReader, { table }: Mark & { kind: 'data' }): AsyncGenerator<Part> {
  const statement = copyFrom(table)
  if ((await reader.line()) !== statement) throw unreadable(`the rows of ${table.table} don't begin as they should`)
  let read = false
  async function* rows(): AsyncGenerator<Buffer> {
    yield* reader.rows()
    read = true
  }
  yield { kind: 'copy', ...table, statement, rows: rows() }
  if (!read) throw new Error(`the rows of ${table.table} were not read to their end`)
}

/** The text up to the next line of ours. */
async function readText(reader: ByteReader): Promise<{ text: string; mark: Mark }> {
  const lines: string[] = []
  for (;;) {
    const line = await reader.line()
    if (line === undefined) throw unreadable('it has no last line')
    if (line.startsWith(MARK)) return { text: lines.map((one) => `${one}\n`).join(''), mark: markOf(line) }
    lines.push(line)
  }
}

async function nextMark(reader: ByteReader): Promise<Mark> {
  const { text, mark } = await readText(reader)
  if (text.trim() !== '') throw unreadable('something stands between two tables')
  return mark
}

function markOf(line: string): Mark {
  const mark = parseMark(line)
  if (mark === undefined) throw unreadable(`it has an unknown line "${line.slice(0, 80)}"`)
  return mark
}
