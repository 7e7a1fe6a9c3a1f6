import { z } from 'zod'
import type { Line } from './line.ts'
import { endsJournal, type JournalEvent } from './schemas.ts'
import { displayWidth, graphemesOf, plain } from './text.ts'

/** What a model has written of an answer that is not recorded yet. */
export interface Draft {
  /** Number of the event that it follows, or that came just before. */
  afterSeq: number
  text: string
}

/** A message of the stream: a piece of a draft. `offset` counts UTF-16 units; 0 starts over. */
export const deltaSchema = z.looseObject({
  afterSeq: z.int().nonnegative(),
  offset: z.int().nonnegative(),
  text: z.string(),
})

export type Delta = z.infer<typeof deltaSchema>

/** Far more than the API gives of an answer ahead; a server must not fill our memory. */
const MOST_TEXT = 256 * 1024
/** What could be on the screen at most: the lines of more text would be thrown away again, eight times a second. */
const MOST_SHOWN = 4_000

/** Puts a piece to a draft; pure. A piece that does not fit to what is there is left out: one from the start comes again. */
export function nextDraft(draft: Draft | undefined, { afterSeq, offset, text }: Delta): Draft | undefined {
  if (offset === 0) return { afterSeq, text: text.slice(0, MOST_TEXT) }
  if (draft?.afterSeq !== afterSeq || draft.text.length < offset) return draft
  return { afterSeq, text: (draft.text.slice(0, offset) + text).slice(0, MOST_TEXT) }
}

/** What is left of a draft after an event; pure. With the answer itself, or without one, it is over. */
export function draftAfter(draft: Draft | undefined, { type }: JournalEvent): Draft | undefined {
  return type === 'model.answered' || type === 'model.failed' || endsJournal(type) ? undefined : draft
}

/** The last lines of a draft, wrapped to the columns: where it grows. */
export function draftLines(draft: Draft | undefined, columns: number, most: number): Line[] {
  if (draft === undefined || most < 1 || columns < 1) return []
  const lines = plain(draft.text.slice(-MOST_SHOWN))
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '')
    .flatMap((line) => wrapped(line, columns))
  return lines.slice(-most).map((text) => ({ text, tone: 'dim' }))
}

function wrapped(line: string, columns: number): string[] {
  const lines: string[] = []
  let current = ''
  for (const word of line.match(/\s*\S+/g) ?? []) {
    if (displayWidth(current + word) <= columns) {
      current += word
      continue
    }
    if (current !== '') lines.push(current)
    const pieces = broken(word.trimStart(), columns)
    current = pieces.pop() ?? ''
    lines.push(...pieces)
  }
  return current === '' ? lines : [...lines, current]
}

/** A word that is longer than a line. */
function broken(word: string, columns: number): string[] {
  const pieces: string[] = []
  let piece = ''
  for (const character of graphemesOf(word)) {
    if (piece !== '' && displayWidth(piece + character) > columns) {
      pieces.push(piece)
      piece = ''
    }
    piece += character
  }
  return [...pieces, piece]
}
