import picocolors from 'picocolors'
import { createRegion, type Region } from './region.ts'
import { plain } from './text.ts'

export type Colors = ReturnType<typeof picocolors.createColors>

/** Where a command reads and writes, so that it can run in a test as it does in a shell. */
export interface Streams {
  stdin: NodeJS.ReadStream
  stdout: NodeJS.WriteStream
  stderr: NodeJS.WriteStream
}

export interface Terminal {
  /** Columns of standard output; 80 where it has none. */
  readonly columns: number
  /** Rows of standard output; 24 where it has none. */
  readonly rows: number
  /** Of standard output. */
  colors: Colors
  /** Whether a person can be asked: input and output are both a terminal. */
  interactive: boolean
  /** Whether standard output can be drawn over. */
  live: boolean
  /** What is drawn over; all else that is written here lands above it. */
  region: Region
  streams: Streams
  /** What was asked for, on standard output. */
  print(lines: readonly string[]): void
  /** One JSON value a line, on standard output. */
  json(value: unknown): void
  /** What happens around it, dimmed, on standard error. */
  note(text: string): void
  /** What went wrong, on standard error. */
  error(text: string): void
}

/**
 * Colours only on a terminal and without NO_COLOR (https://no-color.org: set and not empty). A live view only where there
 * are colours, on a terminal that knows escape sequences, and not in CI, which keeps every frame in its log.
 */
export function createTerminal(streams: Streams, env: NodeJS.ProcessEnv): Terminal {
  const { stdin, stdout, stderr } = streams
  const hasColors = isTerminal(stdout) && !env.NO_COLOR
  const colors = picocolors.createColors(hasColors)
  const noteColors = picocolors.createColors(isTerminal(stderr) && !env.NO_COLOR)
  const region = createRegion(stdout)
  const write = (stream: NodeJS.WriteStream, text: string): void => region.above(() => void stream.write(`${text}\n`))
  return {
    get columns() {
      return stdout.columns || 80
    },
    get rows() {
      return stdout.rows || 24
    },
    colors,
    interactive: isTerminal(stdin) && isTerminal(stdout),
    live: hasColors && env.TERM !== 'dumb' && !isCi(env),
    region,
    streams,
    print: (lines) => void (lines.length > 0 && write(stdout, lines.join('\n'))),
    json: (value) => write(stdout, JSON.stringify(value)),
    note: (text) => write(stderr, noteColors.dim(plain(text))),
    error: (text) => write(stderr, noteColors.red(plain(text))),
  }
}

/** A pipe has no `isTTY` at all, and of undefined picocolors makes colours where CI is set. */
function isTerminal({ isTTY }: { isTTY?: boolean }): boolean {
  return isTTY === true
}

/** Whether a build server runs this, as most of them say: CI is set, and not to "false". */
export function isCi(env: NodeJS.ProcessEnv): boolean {
  return Boolean(env.CI) && env.CI !== 'false'
}
