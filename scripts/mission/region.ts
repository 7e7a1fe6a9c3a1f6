import { stripVTControlCharacters } from 'node:util'
import type { createLogUpdate } from 'log-update'
import { displayWidth } from './text.ts'

/** Lines at the bottom of a terminal that are drawn over and over, below what scrolls by. */
export interface Region {
  /** Draws what `frame` gives, eight times a second, until `stop`. */
  start(frame: () => string[]): Promise<void>
  /** Draws now, for what changed. */
  redraw(): void
  /** Runs what writes to the terminal, so that it lands above the region. */
  above(write: () => void): void
  /** Takes the region off the screen until the function that it gives is called. */
  hide(): () => void
  /** Takes the region off the screen for good. */
  stop(): void
}

const FRAME_MS = 125
/**
 * Around each piece that is written: no cursor, and no wrapping, should a terminal find a character wider than we do. Both
 * are back at the end of the same write, so no way to leave, not even SIGKILL or Ctrl-Z, leaves the terminal without.
 */
const BEGIN = '\u001b[?25l\u001b[?7l'
const END = '\u001b[?7h\u001b[?25h'
const UP_AND_ERASE = '\u001b[1A\u001b[2K'

/** A region on a terminal; until it is started, all of it does nothing but let others write. */
export function createRegion(stdout: NodeJS.WriteStream): Region {
  return new TerminalRegion(stdout)
}

class TerminalRegion implements Region {
  readonly #stdout: NodeJS.WriteStream
  #log: ReturnType<typeof createLogUpdate> | undefined
  #frame: () => string[] = () => []
  #drawn: string[] = []
  #hidden = 0
  #timer: NodeJS.Timeout | undefined
  #soon: NodeJS.Immediate | undefined

  constructor(stdout: NodeJS.WriteStream) {
    this.#stdout = stdout
  }

  async start(frame: () => string[]): Promise<void> {
    // Loaded here because most runs draw nothing.
    const library = await import('log-update')
    this.#frame = frame
    this.#log = library.createLogUpdate(framed(this.#stdout), { showCursor: true })
    this.#timer = setInterval(() => this.redraw(), FRAME_MS).unref()
    this.#stdout.on('resize', this.#resized)
    this.redraw()
  }

  redraw(): void {
    clearImmediate(this.#soon)
    this.#soon = undefined
    if (this.#log === undefined || this.#hidden > 0) return
    const lines = this.#frame()
    if (lines.length === 0) return this.#clear()
    this.#log(lines.join('\n'))
    this.#drawn = lines
  }

  above(write: () => void): void {
    this.#clear()
    write()
    // Not at once: events come in bursts, and one drawing behind all of them is enough.
    if (this.#log !== undefined) this.#soon ??= setImmediate(() => this.redraw())
  }

  hide(): () => void {
    this.#clear()
    this.#hidden += 1
    return () => {
      this.#hidden -= 1
      this.redraw()
    }
  }

  stop(): void {
    clearInterval(this.#timer)
    clearImmediate(this.#soon)
    this.#stdout.off('resize', this.#resized)
    this.#clear()
    this.#log = undefined
  }

  #clear(): void {
    if (this.#drawn.length === 0) return
    this.#log?.clear()
    this.#drawn = []
  }

  /** A terminal that became narrower has broken the lines that no longer fit, so there are more of them to erase. */
  readonly #resized = (): void => {
    const columns = columnsOf(this.#stdout)
    const broken = this.#drawn.map((line) => Math.ceil(displayWidth(stripVTControlCharacters(line)) / columns) - 1)
    const extra = broken.reduce((sum, lines) => sum + Math.max(0, lines), 0)
    this.#clear()
    if (extra > 0) this.#stdout.write(UP_AND_ERASE.repeat(extra))
    this.redraw()
  }
}

/** The part of a terminal that log-update uses. */
function framed(stdout: NodeJS.WriteStream): NodeJS.WritableStream {
  const terminal = {
    isTTY: true,
    get columns() {
      return columnsOf(stdout)
    },
    get rows() {
      return stdout.rows || 24
    },
    write: (text: string) => stdout.write(`${BEGIN}${text}${END}`),
  }
  return terminal as unknown as NodeJS.WritableStream
}

function columnsOf(stdout: NodeJS.WriteStream): number {
  return stdout.columns || 80
}
