import { fstatSync } from 'node:fs'
import { once } from 'node:events'
import type { Context } from './context.ts'
import { UsageError } from './errors.ts'
import { isText, MOST_BYTES, toInput, type FileInput } from './read-files.ts'
import type { Streams } from './terminal.ts'

/** How long a pipe may stay open without a first byte, in milliseconds. */
const patience = {
  /** Where nobody watches, such a pipe is one that was inherited and that nobody writes to. */
  unwatched: 1000,
  /** At a terminal somebody typed it, and what fills it may be slow; a mission without its data is worse than none. */
  watched: 30_000,
}

/**
 * Reads what is piped in, or redirected from a file, as a file of the mission: `stdin.json`, `stdin.csv`, `stdin.txt`, or
 * `stdin.bin` for what is no text. Undefined where there is nothing: a terminal, `/dev/null`, an empty pipe, and a pipe
 * that is open and gives nothing for a second while no terminal is around, which is said.
 * @param required whether it was asked for by name: then it is waited for as long as it takes
 * @throws UsageError for more than 8 MiB, where a required input is empty or a terminal, and where somebody waits at a
 * terminal and nothing came for 30 seconds
 */
export async function readPipedInput(
  context: Context,
  required: boolean,
  wait = patience,
): Promise<FileInput | undefined> {
  const { streams } = context.terminal
  const { signal } = context.interrupt
  if (streams.stdin.isTTY && required) {
    throw new UsageError('--file - reads standard input, and that is this terminal. Pipe something into the command.')
  }
  if (!required && (!canHoldFile(streams.stdin) || !(await hasBegun(context, wait)))) return undefined
  const content = await readAll(streams.stdin, signal)
  if (content.length > 0) return toInput(await nameFor(content), content)
  if (required) throw new UsageError('--file - reads standard input, and that is empty.')
  return undefined
}

/** A pipe, a socket (which stands in for a pipe below some parents), or a file: no terminal, and not `/dev/null`. */
function canHoldFile(stdin: Streams['stdin']): boolean {
  const { isTTY, fd } = stdin as { isTTY: boolean; fd?: number }
  if (isTTY || fd === undefined) return false
  try {
    const stats = fstatSync(fd)
    return stats.isFIFO() || stats.isSocket() || stats.isFile()
  } catch {
    return false
  }
}

/** Whether standard input gave a first byte, or its end, in time. */
async function hasBegun({ terminal, interrupt }: Context, wait: typeof patience): Promise<boolean> {
  const { stdin, stdout, stderr } = terminal.streams
  if (await isReadable(stdin, wait.unwatched, interrupt.signal)) return true
  if (!stdout.isTTY && !stderr.isTTY) {
    terminal.note('Standard input is open and empty, so it is not sent along. To wait for it, give --file -')
    return false
  }
  terminal.note('Waiting for standard input …')
  if (await isReadable(stdin, wait.watched - wait.unwatched, interrupt.signal)) return true
  throw new UsageError(
    `Nothing came on standard input for ${wait.watched / 1000} seconds. Wait for it with --file - or go without it with < /dev/null`,
  )
}

async function isReadable(stdin: Streams['stdin'], ms: number, interrupted: AbortSignal): Promise<boolean> {
  const late = AbortSignal.timeout(ms)
  try {
    await once(stdin, 'readable', { signal: AbortSignal.any([late, interrupted]) })
    return true
  } catch (error) {
    if (late.aborted && !interrupted.aborted) return false
    throw error
  }
}

async function readAll(stdin: Streams['stdin'], interrupted: AbortSignal): Promise<Buffer> {
  const stop = (): void => void stdin.destroy()
  interrupted.addEventListener('abort', stop)
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of stdin as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > MOST_BYTES)
        throw new UsageError('Standard input has more than 8 MiB; a mission takes files up to that.')
      chunks.push(chunk)
    }
  } finally {
    interrupted.removeEventListener('abort', stop)
  }
  return Buffer.concat(chunks)
}

async function nameFor(content: Buffer): Promise<string> {
  if (!isText(content)) return 'stdin.bin'
  const text = content.toString()
  if (isJson(text)) return 'stdin.json'
  return (await isTable(text)) ? 'stdin.csv' : 'stdin.txt'
}

/** An object or an array: a number or a word alone is JSON too, but not clearly meant so. */
function isJson(text: string): boolean {
  if (!/^\s*[[{]/.test(text)) return false
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** Its first lines, two or more and up to 20, all have the same number of fields, two or more. */
async function isTable(text: string): Promise<boolean> {
  const { parse } = await import('csv-parse/sync')
  return [',', ';', '\t'].some((delimiter) => {
    try {
      const rows: string[][] = parse(text, { delimiter, bom: true, to: 20 })
      return rows.length > 1 && (rows[0]?.length ?? 0) > 1
    } catch {
      return false
    }
  })
}
