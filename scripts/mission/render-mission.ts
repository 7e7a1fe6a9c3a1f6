import { paint } from './line.ts'
import type { Citation, JournalEvent, Mission, Problem, Result } from './schemas.ts'
import type { Colors } from './terminal.ts'
import { count, cut, displayWidth, duration, fit, money, oneLine, originOf, plain, size, tokens } from './text.ts'

/** What stands under the steps of a mission that ended: its result, or why there is none and what it has so far, and what it used. */
export function renderEnd(mission: Mission, colors: Colors): string[] {
  const { result, error } = mission
  const lines: string[] = []
  if (error !== undefined) lines.push('', paint(`${oneLine(error.code)}: ${plain(error.message)}`, 'red', colors))
  if (error?.hint !== undefined) lines.push(plain(error.hint))
  if (result !== undefined) lines.push('', ...(error === undefined ? [] : ['So far:']), ...resultLines(result, colors))
  return [...lines, '', paint(totals(mission), 'dim', colors)]
}

function resultLines({ text, files = [], citations = [] }: Result, colors: Colors): string[] {
  const said = plain(text).trimEnd()
  const written = files.map(({ name, bytes }) => `file ${oneLine(name)} (${size(bytes)})`)
  const sources = citations.map((citation) => `  ${showCitation(citation)}`)
  return [
    ...(said === '' ? [] : said.split('\n')),
    ...(sources.length === 0 ? [] : ['', 'Sources', ...sources]),
    ...written.map((line) => paint(line, 'dim', colors)),
  ]
}

/** `4 steps · 1,204 in, 85 out · $0.0012 · 3.4 s`. */
export function totals({ usage, createdAt, startedAt, endedAt }: Mission): string {
  const steps = usage?.steps ?? 0
  const from = startedAt ?? createdAt
  const time = from === undefined || endedAt === undefined ? Number.NaN : Date.parse(endedAt) - Date.parse(from)
  return [
    `${count(steps)} ${steps === 1 ? 'step' : 'steps'}`,
    `${tokens({ inputTokens: usage?.inputTokens ?? 0, outputTokens: usage?.outputTokens ?? 0 })} tokens`,
    costOf(usage),
    Number.isFinite(time) ? duration(Math.max(0, time)) : undefined,
  ]
    .filter((part) => part !== undefined)
    .join(' · ')
}

/** "$0" would look like a free model where there only is no price in the profile. */
function costOf(usage: Mission['usage']): string {
  const cost = money(usage?.costUsd ?? '0')
  if (usage?.unpriced !== true) return cost ?? '$0'
  return cost === undefined
    ? 'cost not known: no price in the profile'
    : `${cost} and what a model without a price cost`
}

/** What `show` prints above the timeline. */
export function renderHead(mission: Mission, colors: Colors): string[] {
  const labels = Object.entries(mission.labels).map(([name, value]) => `${name}=${value}`)
  const rows: [string, string][] = [
    ['mission', mission.id],
    ['status', mission.status],
    ['profile', mission.profile],
    ['labels', labels.join(' ')],
    ['from', mission.forkedFrom === undefined ? '' : originOf(mission.forkedFrom)],
    ['goal', mission.goal],
  ]
  const told = rows.filter(([, value]) => value !== '')
  return told.map(([name, value]) => `${paint(fit(name, 11), 'dim', colors)}${oneLine(value)}`)
}

/** Time since the first event, such as `+1.2 s`, for the left margin of the timeline. */
export function offset(event: JournalEvent, first: JournalEvent): string {
  return `+${duration(Math.max(0, Date.parse(event.at) - Date.parse(first.at)) || 0)}`
}

/** Below this, the table of `list` has no room for the profile, which `show` tells too. */
const COLUMNS_FOR_PROFILE = 100
/** Below this, a mission takes two lines. */
const COLUMNS_FOR_ONE_LINE = 72
const ID_COLUMNS = 36

/** The table of `list`. @param now milliseconds since 1970 */
export function renderList(missions: Mission[], now: number, columns: number, colors: Colors): string[] {
  if (missions.length === 0) return ['There are no missions.']
  const title: ListRow = { id: 'id', status: 'status', age: 'age', profile: 'profile', goal: 'goal' }
  const rows = missions.map((mission): ListRow => {
    const { id, status, profile, goal, createdAt } = mission
    const since = createdAt === undefined ? '' : age(now - Date.parse(createdAt))
    return { id, status: oneLine(status), age: since, profile: oneLine(profile), goal: oneLine(goal) }
  })
  const names: (keyof ListRow)[] = columns < COLUMNS_FOR_PROFILE ? ['status', 'age'] : ['status', 'age', 'profile']
  const widths = names.map((name) => Math.max(...[title, ...rows].map((row) => displayWidth(row[name]))))
  const show = (row: ListRow): string[] => {
    const cells = names.map((name, index) => fit(row[name], widths[index] as number))
    const id = fit(row.id, ID_COLUMNS)
    if (columns < COLUMNS_FOR_ONE_LINE) return [cut(id, columns), cut(`  ${[...cells, row.goal].join('  ')}`, columns)]
    return [cut([id, ...cells, row.goal].join('  '), columns)]
  }
  const lines = rows.flatMap(show)
  return columns < COLUMNS_FOR_ONE_LINE ? lines : [...show(title).map((line) => paint(line, 'dim', colors)), ...lines]
}

type ListRow = Record<'id' | 'status' | 'age' | 'profile' | 'goal', string>

/** One figure is enough in a table: `5s`, `3min`, `2h`, `9d`. */
function age(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  if (seconds < 60) return `${seconds}s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)}min`
  return seconds < 86_400 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`
}

/** Title, detail, and each member of the body that was wrong. */
export function renderProblem(problem: Problem): string[] {
  return [
    oneLine(problem.title),
    ...(problem.detail === undefined ? [] : [oneLine(problem.detail)]),
    ...(problem.errors ?? []).map(({ pointer, detail }) => `  ${oneLine(pointer)}: ${oneLine(detail)}`),
  ]
}

/** `[id] title, url`, without what is not there or was said. */
function showCitation({ id, title, url }: Citation): string {
  const told = [title, url].filter((part) => part !== undefined && part !== id).join(', ')
  return oneLine(`[${id}] ${told}`)
}
