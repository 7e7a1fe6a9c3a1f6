import picocolors from 'picocolors'
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
  columns: number
  /** Of standard output. */
  colors: Colors
  /** Whether a person can be asked: input and output are both a terminal. */
  interactive: boolean
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

/** Colours only on a terminal and without NO_COLOR (https://no-color.org: set and not empty). */
export function createTerminal(streams: Streams, env: NodeJS.ProcessEnv): Terminal {
  const { stdin, stdout, stderr } = streams
  const colors = picocolors.createColors(stdout.isTTY && !env.NO_COLOR)
  const noteColors = picocolors.createColors(stderr.isTTY && !env.NO_COLOR)
  return {
    columns: stdout.columns || 80,
    colors,
    interactive: stdin.isTTY && stdout.isTTY,
    streams,
    print: (lines) => void (lines.length > 0 && stdout.write(`${lines.join('\n')}\n`)),
    json: (value) => void stdout.write(`${JSON.stringify(value)}\n`),
    note: (text) => void stderr.write(`${noteColors.dim(plain(text))}\n`),
    error: (text) => void stderr.write(`${noteColors.red(plain(text))}\n`),
  }
}
