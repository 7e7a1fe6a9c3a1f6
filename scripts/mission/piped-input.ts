import { fstatSync, readFileSync } from 'node:fs'
import type { Context } from './context.ts'
import { UsageError } from './errors.ts'
import { isText, MOST_BYTES, toInput, type FileInput } from './read-files.ts'
import { isCi, type Streams } from './terminal.ts'
import { size } from './text.ts'

/** How long a pipe that was not asked for may say nothing, before its first byte and between any two, in milliseconds. */
const patience = {
  /** Then it is said that we wait. */
  quiet: 1000,
  /** Then the command gives up: a mission without its data is worse than none. */
  most: 30_000,
}

const LEFT_ALONE =
  'Standard input is left alone, since it may belong to what called this. To send it along, give --file -'

/**
 * Reads what is piped in, or redirected from a file, as a file of the mission: `stdin.json`, `stdin.csv`, `stdin.txt`, or
 * `stdin.bin` for what is no text. What was not asked for by name goes along only from a file, or at a terminal, where a
 * person sees that it does: in a script, standard input is often the script itself. Undefined where there is nothing to
 * send: a terminal, `/dev/null`, an empty pipe, or one that is left alone, which is said.
 * @param required whether it was asked for by name: then it is read anywhere, and waited for as long as it takes
 * @throws UsageError for more than 8 MiB, where a required input is empty or a terminal, and where one that was not asked
 * for says nothing for 30 seconds
 */
export async function readPipedInput(
  context: Context,
  required: boolean,
  wait = patience,
): Promise<FileInput | undefined> {
  const { terminal } = context
  const { stdin } = terminal.streams
  if (stdin.isTTY && required) {
    throw new UsageError('--file - reads standard input, and that is this terminal. Pipe something into the command.')
  }
  if (!required && !mayTake(context)) return undefined
  const content = await readAll(context, required ? undefined : wait)
  if (content.length === 0) {
    if (required) throw new UsageError('--file - reads standard input, and that is empty.')
    return undefined
  }
  const name = await nameFor(content)
  if (!required) terminal.note(`Standard input goes along as ${name} (${size(content.length)}).`)
  return toInput(name, content)
}

/** Whether to read what was not asked for: a file from its start, or a pipe at a terminal. */
function mayTake({ terminal, env }: Context): boolean {
  const { stdin, stdout, stderr } = terminal.streams
  const kind = kindOf(stdin)
  if (kind === undefined) return false
  const watched = !isCi(env) && (stdout.isTTY || stderr.isTTY)
  if (kind === 'file' || (kind === 'pipe' && watched)) return true
  terminal.note(LEFT_ALONE)
  return false
}

/**
 * A socket stands in for a pipe below some parents. Undefined: a terminal, `/dev/null`, and what is closed. A file that was
 * read in part is somebody else's: the script that bash runs, or the list of `while read line; do …; done < list`.
 */
function kindOf(stdin: Streams['stdin']): 'file' | 'read in part' | 'pipe' | undefined {
  const { isTTY, fd } = stdin as { isTTY: boolean; fd?: number }
  if (isTTY || fd === undefined) return undefined
  try {
    const stats = fstatSync(fd)
    if (stats.isFile()) return positionOf(fd) === 0 ? 'file' : 'read in part'
    return stats.isFIFO() || stats.isSocket() ? 'pipe' : undefined
  } catch {
    return undefined
  }
}

/** Bytes that were read of an open file; only Linux tells, and elsewhere it counts as new. */
function positionOf(fd: number): number {
  try {
    return Number(/^pos:\s*(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}

/** Reads to the end; with a patience, no longer than something comes. */
async function readAll({ terminal, interrupt }: Context, wait: typeof patience | undefined): Promise<Buffer> {
  const { stdin } = terminal.streams
  const stop = (): void => void stdin.destroy()
  interrupt.signal.addEventListener('abort', stop)
  const chunks: Buffer[] = []
  let bytes = 0
  const silence =
    wait &&
    watchSilence(wait, {
      say: () => terminal.note('Waiting for standard input …'),
      end: () => stdin.destroy(tooQuiet(wait.most, bytes)),
    })
  try {
    for await (const chunk of stdin as AsyncIterable<Buffer>) {
      silence?.broken()
      bytes += chunk.length
      if (bytes > MOST_BYTES)
        throw new UsageError('Standard input has more than 8 MiB; a mission takes files up to that.')
      chunks.push(chunk)
    }
  } finally {
    silence?.over()
    interrupt.signal.removeEventListener('abort', stop)
  }
  return Buffer.concat(chunks)
}

function tooQuiet(ms: number, bytes: number): UsageError {
  const what = bytes === 0 ? 'Nothing' : 'Nothing more'
  return new UsageError(
    `${what} came on standard input for ${ms / 1000} seconds. Wait for it with --file - or go without it with < /dev/null`,
  )
}

interface Silence {
  /** Something came. */
  broken(): void
  /** Nothing is waited for any more. */
  over(): void
}

/** Calls `say` once, after the first silence that is long, and `end` after one that is too long. */
function watchSilence({ quiet, most }: typeof patience, { say, end }: { say(): void; end(): void }): Silence {
  let said = false
  const late = setTimeout(end, most)
  const long = setTimeout(() => {
    said = true
    say()
  }, quiet)
  return {
    broken() {
      late.refresh()
      // It would also start one again that has run.
      if (!said) long.refresh()
    },
    over() {
      clearTimeout(late)
      clearTimeout(long)
    },
  }
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
