import type { Colors } from './terminal.ts'
import { cut, displayWidth, fit } from './text.ts'

export type Tone = 'plain' | 'dim' | 'green' | 'red' | 'yellow' | 'cyan' | 'bold'

/** One line of an event, before it is fitted to a width. */
export interface Line {
  /** One column wide; missing on a line that goes on with the one before. */
  symbol?: string
  kind?: string
  text: string
  /** Shown dim after the text. */
  aside?: string
  /** Figures at the right margin, dim; whole or, on a narrow terminal, not at all. */
  right?: string
  /** Of the symbol, and of the text where there is no symbol. */
  tone?: Tone
}

/** The symbol and a space. */
const HEAD_COLUMNS = 2
const KIND_COLUMNS = 10
/** With less room than this for the text, the figures at the right are left out. */
const LEAST_TEXT = 12

/** Fits a line to the columns and paints it. */
export function layOut(line: Line, columns: number, colors: Colors): string {
  const head = `${line.symbol ?? ' '} `
  const kind = fit(line.kind ?? '', KIND_COLUMNS)
  const whole = textColumns(columns)
  const figures = line.right === undefined ? '' : `  ${line.right}`
  const right = whole - displayWidth(figures) < LEAST_TEXT ? '' : figures
  const room = whole - displayWidth(right)
  const text = cut(line.text, room)
  const left = room - displayWidth(text) - 1
  const aside = line.aside !== undefined && left > 1 ? ` ${cut(line.aside, left)}` : ''
  const gap = right === '' ? '' : ' '.repeat(Math.max(0, room - displayWidth(text + aside)))
  const tone = line.tone ?? 'plain'
  const body = line.symbol === undefined ? paint(text, tone, colors) : text
  return `${paint(head, tone, colors)}${kind}${body}${dim(aside, colors)}${gap}${dim(right, colors)}`.trimEnd()
}

/** How wide the text of a line may be at so many columns. */
export function textColumns(columns: number): number {
  return Math.max(LEAST_TEXT, columns - HEAD_COLUMNS - KIND_COLUMNS)
}

export function paint(text: string, tone: Tone, colors: Colors): string {
  return tone === 'plain' || text === '' ? text : colors[tone](text)
}

function dim(text: string, colors: Colors): string {
  return paint(text, 'dim', colors)
}
