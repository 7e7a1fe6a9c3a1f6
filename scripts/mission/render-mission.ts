import { paint } from './line.ts'
import type { JournalEvent, Mission, Problem } from './schemas.ts'
import type { Colors } from './terminal.ts'
import { count, cut, duration, fit, money, oneLine, plain, size, tokens } from './text.ts'

/** What stands under the steps of a mission that ended: its result or why there is none, and what it used. */
export function renderEnd(mission: Mission, colors: Colors): string[] {
  const { result, error } = mission
  const lines: string[] = []
  if (result !== undefined) lines.push('', ...plain(result.text).trimEnd().split('\n'))
  for (const file of result?.files ?? [])
    lines.push(paint(`file ${oneLine(file.name)} (${size(file.bytes)})`, 'dim', colors))
  for (const citation of result?.citations ?? []) lines.push(paint(`source ${showCitation(citation)}`, 'dim', colors))
  if (error !== undefined) lines.push('', paint(`${oneLine(error.code)}: ${plain(error.message)}`, 'red', colors))
  if (error?.hint !== undefined) lines.push(plain(error.hint))
  return [...lines, '', paint(totals(mission), 'dim', colors)]
}

/** `4 steps · 1,204 in, 85 out · $0.0012 · 3.4 s`. */
export function totals({ usage, createdAt, startedAt, endedAt }: Mission): string {
  const steps = usage?.steps ?? 0
  const from = startedAt ?? createdAt
  const time = from === undefined || endedAt === undefined ? Number.NaN : Date.parse(endedAt) - Date.parse(from)
  return [
    `${count(steps)} ${steps === 1 ? 'step' : 'steps'}`,
    `${tokens({ inputTokens: usage?.inputTokens ?? 0, outputTokens: usage?.outputTokens ?? 0 })} tokens`,
    money(usage?.costUsd ?? '0') ?? '$0',
    Number.isFinite(time) ? duration(Math.max(0, time)) : undefined,
  ]
    .filter((part) => part !== undefined)
    .join(' · ')
}

/** What `show` prints above the timeline. */
export function renderHead(mission: Mission, colors: Colors): string[] {
  const labels = Object.entries(mission.labels).map(([name, value]) => `${name}=${value}`)
  const rows: [string, string][] = [
    ['mission', mission.id],
    ['status', mission.status],
    ['profile', mission.profile],
    ['labels', labels.join(' ')],
    ['goal', mission.goal],
  ]
  const told = rows.filter(([, value]) => value !== '')
  return told.map(([name, value]) => `${paint(fit(name, 11), 'dim', colors)}${oneLine(value)}`)
}

/** Time since the first event, such as `+1.2 s`, for the left margin of the timeline. */
export function offset(event: JournalEvent, first: JournalEvent): string {
  return `+${duration(Math.max(0, Date.parse(event.at) - Date.parse(first.at)) || 0)}`
}

/** The table of `list`. @param now milliseconds since 1970 */
export function renderList(missions: Mission[], now: number, columns: number, colors: Colors): string[] {
  if (missions.length === 0) return ['There are no missions.']
  const rows = missions.map((mission) => ({
    id: mission.id,
    status: oneLine(mission.status),
    age: mission.createdAt === undefined ? '' : age(now - Date.parse(mission.createdAt)),
    profile: oneLine(mission.profile),
    goal: oneLine(mission.goal),
  }))
  const widths = { id: 36, status: widest('status', 9), age: widest('age', 3), profile: widest('profile', 7) }
  function widest(column: 'status' | 'age' | 'profile', least: number): number {
    return Math.max(least, ...rows.map((row) => row[column].length))
  }
  const room = Math.max(8, columns - widths.id - widths.status - widths.age - widths.profile - 8)
  const show = (row: (typeof rows)[number]): string =>
    `${fit(row.id, widths.id)}  ${fit(row.status, widths.status)}  ${fit(row.age, widths.age)}  ${fit(row.profile, widths.profile)}  ${cut(row.goal, room)}`.trimEnd()
  const title = show({ id: 'id', status: 'status', age: 'age', profile: 'profile', goal: 'goal' })
  return [paint(title, 'dim', colors), ...rows.map(show)]
}

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

function showCitation(citation: unknown): string {
  return oneLine(typeof citation === 'string' ? citation : (JSON.stringify(citation) ?? ''))
}
