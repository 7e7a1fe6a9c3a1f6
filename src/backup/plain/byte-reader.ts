import { TerminalError } from '../../domain/errors.ts'

const NEWLINE = 0x0a
const END = Buffer.from('\\.\n')
const LINE_AND_END = Buffer.from('\n\\.\n')

/** Lines outside the rows are SQL of the schema; the longest is a function's or a policy's text. */
const LONGEST_LINE = 16 * 1024 * 1024

/** Reads lines and blocks of rows from chunks that begin and end anywhere. Holds no more than a line, or a chunk of rows. */
export interface ByteReader {
  /** Without its newline; undefined at the end of the text, which has to come after a newline. */
  line(): Promise<string | undefined>
  /** The rows up to the line `\.`, which is consumed. */
  rows(): AsyncGenerator<Buffer>
  /** Tells where the chunks come from that no more are wanted. */
  close(): Promise<void>
}

export function unreadable(why: string): TerminalError {
  return new TerminalError(
    'backup_unreadable',
    `The backup's text is not what a backup writes: ${why}. It is damaged, cut off, or no backup of Taskforce's.`,
    { hint: 'Take another backup (npm run backup -- list), or the offsite copy of this one.' },
  )
}

/** @param onText gets what is not rows, in order and to the byte, and no chunk for longer than its call */
export function readBytes(chunks: AsyncIterable<Buffer>, onText: (text: Buffer) => void = () => undefined): ByteReader {
  const source = chunks[Symbol.asyncIterator]()
  let pending: Buffer = Buffer.alloc(0)

  async function more(): Promise<boolean> {
    const next = await source.next()
    if (next.done === true) return false
    pending = pending.length === 0 ? next.value : Buffer.concat([pending, next.value])
    return true
  }

  async function moreRows(): Promise<void> {
    if (!(await more())) throw unreadable('it ends among the rows of a table')
  }

  return {
    async line() {
      let from = 0
      let at = pending.indexOf(NEWLINE)
      while (at === -1) {
        from = pending.length
        if (from > LONGEST_LINE) throw unreadable('a line of its SQL has no end')
        if (!(await more())) {
          if (pending.length > 0) throw unreadable('it ends in the middle of a line')
          return undefined
        }
        at = pending.indexOf(NEWLINE, from)
      }
      const line = pending.toString('utf8', 0, at)
      onText(pending.subarray(0, at + 1))
      pending = pending.subarray(at + 1)
      return line
    },

    async *rows() {
      while (pending.length < END.length) await moreRows()
      if (pending.subarray(0, END.length).equals(END)) {
        onText(END)
        pending = pending.subarray(END.length)
        return
      }
      for (;;) {
        const at = pending.indexOf(LINE_AND_END)
        const rows = pending.subarray(0, at === -1 ? pending.length - beginningsOfEnd(pending) : at + 1)
        pending = pending.subarray(rows.length + (at === -1 ? 0 : END.length))
        if (at !== -1) onText(END)
        if (rows.length > 0) yield rows
        if (at !== -1) return
        await moreRows()
      }
    },

    async close() {
      await source.return?.()
    },
  }
}

/**
 * How many of the last bytes may be the beginning of the end; mostly none, and then the next chunk needs no copy to go on from
 * them.
 */
function beginningsOfEnd(bytes: Buffer): number {
  for (let length = Math.min(LINE_AND_END.length - 1, bytes.length); length > 0; length--) {
    if (bytes.subarray(-length).equals(LINE_AND_END.subarray(0, length))) return length
  }
  return 0
}
