import { paint, type Tone } from '../mission/line.ts'
import type { Colors } from '../mission/terminal.ts'
import { displayWidth, oneLine } from '../mission/text.ts'
import { DEPLOYMENT, exitCode, GROUPS, verdict, type Check, type Report, type SettingLine } from './report.ts'

export interface Page {
  columns: number
  colors: Colors
}

interface Row {
  symbol: string
  tone: Tone
  name: string
  text: string
  /** Dim, after the text. */
  aside?: string
  hint?: string
}

const SYMBOLS = { pass: ['✔', 'green'], warn: ['!', 'yellow'], fail: ['✖', 'red'] } as const
/** A name longer than this pushes its text to the right by itself, not that of the whole group. */
const WIDEST_NAME = 26
/** Hints begin no further to the right, so that a command fits on one line of 80 columns. */
const HINT_COLUMN = 14
/** With less room than this, text goes over the margin: nobody reads one word a line. */
const LEAST_TEXT = 24

/** The report for a person: groups of lines, each `!` and `✖` followed by what to do, and one sentence at the end. */
export function toLines(report: Report, page: Page): string[] {
  const groups = GROUPS.flatMap((group) => {
    const checks = report.checks.filter((check) => check.group === group)
    const settings = group === 'Settings' ? settingRows(report.settings) : []
    const rows = [...settings, ...checks.map(checkRow)]
    return rows.length === 0 ? [] : [page.colors.bold(group), ...table(rows, page), '']
  })
  const tone = exitCode(report) === 0 ? 'green' : 'red'
  const sentence = wrap(verdict(report), page.columns).map((line) => paint(line, tone, page.colors))
  return [...groups, ...sentence, ...(report.nothingConfigured ? deployment(page) : [])]
}

/** Values that are set or have a default, one a line, and the names of all others in one paragraph. */
function settingRows(settings: readonly SettingLine[]): Row[] {
  // A wrong one is shown once, as the check that says why.
  const fine = settings.filter(({ problem }) => problem === undefined)
  const given = fine.filter(({ source }) => source !== null)
  const others = fine.filter(({ source }) => source === null).map(({ name }) => name)
  const rows: Row[] = given.map(({ name, value = 'set', source }) => ({
    ...symbolOf('pass'),
    name,
    text: value,
    aside: source ?? '',
  }))
  return others.length === 0
    ? rows
    : [...rows, { symbol: ' ', tone: 'plain', name: 'not set', text: others.join(', ') }]
}

function checkRow({ name, status, detail, hint }: Check): Row {
  return { ...symbolOf(status), name, text: detail, hint }
}

function symbolOf(status: Check['status']): { symbol: string; tone: Tone } {
  const [symbol, tone] = SYMBOLS[status]
  return { symbol, tone }
}

function table(rows: readonly Row[], page: Page): string[] {
  const nameColumns = Math.min(WIDEST_NAME, Math.max(...rows.map(({ name }) => displayWidth(name))))
  return rows.flatMap((row) => layOut(row, nameColumns, page))
}

function layOut(row: Row, nameColumns: number, { columns, colors }: Page): string[] {
  const indent = ' '.repeat(nameColumns + 6)
  const room = Math.max(LEAST_TEXT, columns - indent.length)
  const name = oneLine(row.name)
  const over = displayWidth(name) - nameColumns
  // A long name stands on a line of its own.
  const head = `  ${paint(row.symbol, row.tone, colors)} ${name}${over > 0 ? '' : ' '.repeat(2 - over)}`
  const text = wrap(row.text, room)
  const last = text.at(-1) ?? ''
  const aside = row.aside === undefined ? undefined : colors.dim(`(${row.aside})`)
  const fits = aside !== undefined && displayWidth(last) + displayWidth(row.aside ?? '') + 3 <= room
  const lines = fits ? [...text.slice(0, -1), `${last} ${aside}`] : [...text, ...(aside === undefined ? [] : [aside])]
  const hint = hintLines(row.hint, Math.min(indent.length, HINT_COLUMN), { columns, colors })
  if (over > 0) return [head, ...lines.map((line) => indent + line), ...hint]
  return [...lines.map((line, index) => (index === 0 ? head : indent) + line), ...hint]
}

function hintLines(hint: string | undefined, column: number, { columns, colors }: Page): string[] {
  if (hint === undefined) return []
  const lines = wrap(hint, Math.max(LEAST_TEXT, columns - column - 2))
  return lines.map((line, index) => ' '.repeat(column) + paint((index === 0 ? '→ ' : '  ') + line, 'cyan', colors))
}

function deployment(page: Page): string[] {
  const rows = DEPLOYMENT.map(([name, text]): Row => ({ symbol: ' ', tone: 'plain', name, text }))
  return ['', 'A deployment needs:', ...table(rows, page)]
}

/** Breaks at spaces; a word that is wider than the room is broken anywhere. */
function wrap(text: string, room: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of oneLine(text).split(' ')) {
    let rest = word
    const joined = line === '' ? rest : `${line} ${rest}`
    if (displayWidth(joined) <= room) {
      line = joined
      continue
    }
    if (line !== '') lines.push(line)
    for (; displayWidth(rest) > room; rest = rest.slice(room)) lines.push(rest.slice(0, room))
    line = rest
  }
  return line === '' ? lines : [...lines, line]
}
