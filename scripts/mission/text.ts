import { stripVTControlCharacters } from 'node:util'

// eslint-disable-next-line no-control-regex -- these are what is taken out
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g
/** East Asian wide and full-width blocks (Unicode TR 11) and emoji, also those made so by U+FE0F: two columns each. */
const WIDE =
  /[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{16fe0}-\u{18dff}\u{1aff0}-\u{1b2ff}\u{1f200}-\u{1f265}\u{20000}-\u{3fffd}]|\ufe0f|\p{Emoji_Presentation}/u
const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/**
 * Text from elsewhere made safe for a terminal: no escape sequences, no control or direction characters. A model repeats
 * what it read on the web, and an escape sequence could otherwise repaint the screen or fake our own lines.
 */
export function plain(text: string): string {
  return stripVTControlCharacters(text.replaceAll('\r\n', '\n')).replace(CONTROLS, '').replaceAll('\t', '    ')
}

/** The same on one line, runs of white space as one space. */
export function oneLine(text: string): string {
  return plain(text).replace(/\s+/g, ' ').trim()
}

/** The first line that says something. */
export function firstLine(text: string): string {
  return oneLine(
    plain(text)
      .split('\n')
      .find((line) => line.trim() !== '') ?? '',
  )
}

/** What a reader takes for single characters. */
export function graphemesOf(text: string): string[] {
  return Array.from(graphemes.segment(text), ({ segment }) => segment)
}

/** Columns that a text takes on a terminal. */
export function displayWidth(text: string): number {
  let width = 0
  for (const { segment } of graphemes.segment(text)) width += WIDE.test(segment) ? 2 : 1
  return width
}

/** Cuts a text to a number of columns; what was cut ends in `…`. */
export function cut(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text
  let kept = ''
  let width = 1
  for (const { segment } of graphemes.segment(text)) {
    width += WIDE.test(segment) ? 2 : 1
    if (width > columns) break
    kept += segment
  }
  return `${kept.trimEnd()}…`
}

/** Fills up with spaces, or cuts, to exactly so many columns. */
export function fit(text: string, columns: number): string {
  const short = cut(text, columns)
  return short + ' '.repeat(Math.max(0, columns - displayWidth(short)))
}

/** `85 ms`, `1.2 s`, `3 min 4 s`, `2 h 5 min`, `3 d 4 h`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 3600) return two(Math.floor(seconds / 60), 'min', seconds % 60, 's')
  const minutes = Math.round(seconds / 60)
  if (minutes < 24 * 60) return two(Math.floor(minutes / 60), 'h', minutes % 60, 'min')
  const hours = Math.round(minutes / 60)
  return two(Math.floor(hours / 24), 'd', hours % 24, 'h')
}

function two(big: number, bigUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${big} ${bigUnit}` : `${big} ${bigUnit} ${small} ${smallUnit}`
}

/** `1,204 in, 85 out`; `~1,204 in, 85 out` where the model's server did not say. */
export function tokens(usage: { inputTokens: number; outputTokens: number; estimated?: boolean }): string {
  return `${usage.estimated === true ? '~' : ''}${count(usage.inputTokens)} in, ${count(usage.outputTokens)} out`
}

export function count(value: number): string {
  return value.toLocaleString('en-GB')
}

/** `$0.0012`; nothing where it cost nothing. */
export function money(costUsd: string): string | undefined {
  return Number(costUsd) > 0 ? `$${costUsd}` : undefined
}

/** `512 B`, `1.2 kB`, `3.4 MB`. */
export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`
  return bytes < 999_950 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`
}

/** Where a mission goes on from. */
export function originOf({ id, seq }: { id: string; seq: number }): string {
  return `event ${count(seq)} of ${oneLine(id)}`
}
