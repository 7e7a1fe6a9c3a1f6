import { createHash } from 'node:crypto'

const NEWLINE = 0x0a
const BACKSLASH = 0x5c
const DOT = 0x2e

export interface RowSum {
  rows: number
  bytes: number
  sha256: string
}

/** What a table's data add up to, counted as they pass by. */
export interface RowSummer {
  add(chunk: Buffer): void
  /** A line began with `\.`: psql takes that for the end of the data, and COPY never writes it. */
  sawEndMark(): boolean
  end(): RowSum
}

/** Counts the lines of COPY's text form, each a row, and hashes them. Chunks may begin and end anywhere. */
export function sumRows(): RowSummer {
  const hash = createHash('sha256')
  let rows = 0
  let bytes = 0
  let endMark = false
  /** What the next chunk goes on from: the start of a line, a line's first backslash, or anything else. */
  let before: 'start' | 'backslash' | 'within' = 'start'

  function look(chunk: Buffer, at: number): void {
    if (chunk[at] === BACKSLASH && chunk[at + 1] === DOT) endMark = true
  }

  return {
    add(chunk) {
      if (chunk.length === 0) return
      hash.update(chunk)
      bytes += chunk.length
      if (before === 'start') look(chunk, 0)
      else if (before === 'backslash' && chunk[0] === DOT) endMark = true
      let newline = chunk.indexOf(NEWLINE)
      let lineAt = before === 'start' ? 0 : -1
      while (newline !== -1) {
        rows++
        lineAt = newline + 1
        look(chunk, lineAt)
        newline = chunk.indexOf(NEWLINE, lineAt)
      }
      if (lineAt === chunk.length) before = 'start'
      else before = lineAt === chunk.length - 1 && chunk[lineAt] === BACKSLASH ? 'backslash' : 'within'
    },
    sawEndMark: () => endMark,
    end: () => ({ rows, bytes, sha256: hash.digest('hex') }),
  }
}
