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
  let log: ReturnType<typeof createLogUpdate> | undefined
  let frame: () => string[] = () => []
  let drawn: string[] = []
  let hidden = 0
  let timer: NodeJS.Timeout | undefined
  let soon: NodeJS.Immediate | undefined

  function draw(): void {
    clearImmediate(soon)
    soon = undefined
    if (log === undefined || hidden > 0) return
    const lines = frame()
    if (lines.length === 0) return clear()
    log(lines.join('\n'))
    drawn = lines
  }

  function clear(): void {
    if (drawn.length === 0) return
    log?.clear()
    drawn = []
  }

  /** A terminal that became narrower has broken the lines that no longer fit, so there are more of them to erase. */
  function resized(): void {
    const columns = columnsOf(stdout)
    const broken = drawn.map((line) => Math.ceil(displayWidth(stripVTControlCharacters(line)) / columns) - 1)
    const extra = broken.reduce((sum, lines) => sum + Math.max(0, lines), 0)
    clear()
    if (extra > 0) stdout.write(UP_AND_ERASE.repeat(extra))
    draw()
  }

  return {
    async start(give) {
      // Loaded here because most runs draw nothing.
      const library = await import('log-update')
      frame = give
      log = library.createLogUpdate(framed(stdout), { showCursor: true })
      timer = setInterval(draw, FRAME_MS).unref()
      stdout.on('resize', resized)
      draw()
    },
    redraw: draw,
    above(write) {
      clear()
      write()
      // Not at once: events come in bursts, and one drawing behind all of them is enough.
      if (log !== undefined) soon ??= setImmediate(draw)
    },
    hide() {
      clear()
      hidden += 1
      return () => {
        hidden -= 1
        draw()
      }
    },
    stop() {
      clearInterval(timer)
      clearImmediate(soon)
      stdout.off('resize', resized)
      clear()
      log = undefined
    },
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
