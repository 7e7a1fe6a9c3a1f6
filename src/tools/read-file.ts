import { z } from 'zod'
import { TerminalError } from '../domain/errors.ts'
import { decodeText } from './decode-text.ts'
import type { Tool } from './tool.ts'

const MAX_OUTPUT_BYTES = 65_536
/** Text a call returns at most; the rest of the output limit is for the note that says how to read on. */
const TEXT_BYTES = MAX_OUTPUT_BYTES - 1024

const input = z.strictObject({
  name: z.string().min(1).max(200).describe('Name of the file as list_files gives it.'),
  offset: z
    .int()
    .min(1)
    .max(100_000_000)
    .default(1)
    .describe('First line to read; the first line of the file is 1. To read on in a big file.'),
  limit: z.int().min(1).max(100_000).default(2000).describe('Most lines to read.'),
  column: z
    .int()
    .min(1)
    .max(100_000_000)
    .default(1)
    .describe('First character to read of the first line. Only for lines too long for one call.'),
})

type ReadFileInput = z.infer<typeof input>

/** Lines of a text file, at most 63 KiB a call; a cut answer ends with the call that reads on. */
export const readFile: Tool<ReadFileInput> = {
  name: 'read_file',
  description:
    'Reads a text file (UTF-8) of the workspace, whole or a range of lines. When the answer was cut, its last line says how to read on. For sums, counts or filters over a CSV or JSON table use query_table instead.',
  input,
  effect: 'read',
  timeoutMs: 30_000,
  maxOutputBytes: MAX_OUTPUT_BYTES,
  async run(asked, { workspace }) {
    return { text: excerpt(decodeText(asked.name, await workspace.read(asked.name)), asked) }
  },
}

function excerpt(text: string, asked: ReadFileInput): string {
  if (text === '') return `[${asked.name} is empty]`
  const lines = text.split('\n')
  if (text.endsWith('\n')) lines.pop()
  refusePastEnd(lines, asked)

  const first = asked.offset - 1
  lines[first] = lines[first]?.slice(asked.column - 1) ?? ''
  const wanted = lines.slice(first, first + asked.limit)
  const fitting = countFitting(wanted)
  if (fitting === 0) return partOfLine(lines[first], asked)

  const read = wanted.slice(0, fitting).join('\n')
  const last = first + fitting
  if (last === lines.length) return read + (text.endsWith('\n') ? '\n' : '')
  const call = JSON.stringify({ name: asked.name, offset: last + 1 })
  return `${read}\n[lines ${asked.offset}-${last} of ${lines.length}; read on with read_file ${call}]`
}

function refusePastEnd(lines: string[], { name, offset, column }: ReadFileInput): void {
  const line = lines[offset - 1]
  if (line === undefined) {
    throw new TerminalError('past_end', `${name} has ${lines.length} lines; there is no line ${offset}.`, {
      hint: `Use an offset from 1 to ${lines.length}.`,
    })
  }
  if (column > Math.max(line.length, 1)) {
    throw new TerminalError(
      'past_end',
      `Line ${offset} of ${name} has ${line.length} characters, fewer than ${column}.`,
      {
        hint: `Go on with offset ${offset + 1} and no column.`,
      },
    )
  }
}

/** How many of the lines fit whole. */
function countFitting(lines: string[]): number {
  let bytes = 0
  const over = lines.findIndex((line) => (bytes += Buffer.byteLength(line) + 1) > TEXT_BYTES)
  return over === -1 ? lines.length : over
}

function partOfLine(rest: string, { name, offset, column }: ReadFileInput): string {
  // A UTF-16 unit takes at most three bytes of UTF-8, so a third of the bytes always fits.
  let part = rest.slice(0, Math.floor(TEXT_BYTES / 3))
  if (!part.isWellFormed()) part = part.slice(0, -1)
  const call = JSON.stringify({ name, offset, column: column + part.length })
  return `${part}\n[part of line ${offset}, which is too long for one call; read on with read_file ${call}]`
}
