import picocolors from 'picocolors'
import type { Activity, OpenCall } from './activity.ts'
import { draftLines, type Draft } from './draft.ts'
import type { PlanItem } from './event-data.ts'
import { layOut, paint, textColumns, type Line } from './line.ts'
import { moment } from './render-event.ts'
import type { Colors } from './terminal.ts'
import { count, cut, displayWidth, duration, firstLine, money, oneLine, tokens } from './text.ts'
import { shortArguments, type View } from './view.ts'

export interface LiveView extends View {
  /** Why there is no connection, and since when (server time, milliseconds since 1970). */
  lost?: { why: string; since: number }
  /** What the model has written so far of its next answer. */
  draft?: Draft
}

export interface Screen {
  /** Server time in milliseconds since 1970. */
  now: number
  columns: number
  rows: number
  colors: Colors
}

const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
/** One turn of the spinner a frame, at eight frames a second. */
const FRAME_MS = 125
/** Lines are laid out for no less, and then cut. */
const LEAST_COLUMNS = 24
/** From this height on an empty line sets it off from what scrolls by. */
const ROWS_FOR_A_GAP = 16
/** Of the height, what running steps may take while there is a plan. */
const STEPS_SHARE = 0.6
/** Of an answer that is being written: enough to read along, and the plan stays in sight. */
const DRAFT_LINES = 6
const bare = picocolors.createColors(false)

/**
 * What stands below the finished steps while a mission goes on: the steps that run, the plan, and what was used so far.
 * No line is wider than the columns, and there are at most two lines fewer than rows (at least one), so that the last
 * finished step stays in sight and nothing scrolls.
 */
export function renderLive(view: LiveView, screen: Screen): string[] {
  if (view.activity.phase === 'ended') return []
  const gap = screen.rows >= ROWS_FOR_A_GAP ? [''] : []
  const room = Math.max(0, screen.rows - 3 - gap.length)
  const steps = stepLines(view, screen.now)
  const stepRoom = view.plan.length === 0 ? room : Math.max(1, Math.floor(room * STEPS_SHARE))
  const shown = shorten(steps, Math.min(room, stepRoom))
  const free = Math.min(DRAFT_LINES, Math.min(room, stepRoom) - shown.length)
  shown.push(...draftLines(view.draft, textColumns(Math.max(LEAST_COLUMNS, screen.columns)), free))
  const lines = [...shown, ...planLines(view.plan, room - shown.length)]
  return [...gap, ...lines.map((line) => fitted(line, screen)), status(view.activity, screen)]
}

function fitted(line: Line, { columns, colors }: Screen): string {
  if (columns >= LEAST_COLUMNS) return layOut(line, columns, colors)
  return cut(layOut(line, LEAST_COLUMNS, bare), columns)
}

function stepLines(view: LiveView, now: number): Line[] {
  const lines = activityLines(view, now)
  if (view.lost === undefined) return lines
  const { why, since } = view.lost
  const right = elapsed(now - since)
  return [
    { symbol: '!', kind: 'offline', text: 'Connection lost, trying again', aside: oneLine(why), right, tone: 'yellow' },
    ...lines,
  ]
}

function activityLines({ activity, calls, draft }: LiveView, now: number): Line[] {
  const symbol = SPINNER[Math.floor(Math.max(0, now) / FRAME_MS) % SPINNER.length]
  const running = (kind: string, text: string, since: number): Line => {
    return { symbol, kind, text, right: elapsed(now - since), tone: 'cyan' }
  }
  if (activity.phase === 'unknown') return [{ symbol, kind: 'mission', text: 'connects', tone: 'cyan' }]
  if (activity.phase === 'queued') return [running('mission', 'waits to be started', activity.since)]
  if (activity.phase === 'paused') return [{ symbol: '●', kind: 'mission', text: 'is paused', tone: 'yellow' }]
  if (activity.open.length > 0) {
    return activity.open.map((call) => {
      const line = running('tool', oneLine(call.name), call.since)
      return waitLine(call, now) ?? { ...line, aside: shortArguments({ calls }, call.id) }
    })
  }
  if (activity.modelRetryAt > now) {
    const right = left(activity.modelRetryAt - now)
    return [{ symbol: '◷', kind: 'model', text: 'failed and is asked again', right, tone: 'yellow' }]
  }
  return [
    running(
      'model',
      draft === undefined ? 'thinks' : 'answers',
      Math.max(activity.thinkingSince, activity.modelRetryAt),
    ),
  ]
}

function waitLine({ doing }: OpenCall, now: number): Line | undefined {
  if (doing.is === 'running') return undefined
  if (doing.is === 'waiting') {
    const until = Number.isFinite(doing.until) ? `until ${moment(new Date(doing.until).toISOString())}` : ''
    return { symbol: '◷', kind: 'timer', text: 'waits', aside: until, right: left(doing.until - now), tone: 'cyan' }
  }
  const right = doing.deadline === undefined ? undefined : left(doing.deadline - now)
  return { symbol: '?', kind: oneLine(doing.kind), text: firstLine(doing.text), right, tone: 'cyan' }
}

/** Cuts to a number of lines; the last one says how many are missing. */
function shorten(lines: Line[], room: number): Line[] {
  if (lines.length <= room) return lines
  if (room < 1) return []
  return [...lines.slice(0, room - 1), more(lines.length - room + 1)]
}

function more(number: number, what = 'more'): Line {
  return { text: `… ${count(number)} ${what}`, tone: 'dim' }
}

const ticks: Record<string, string> = { done: '✔', in_progress: '▸', pending: '·', skipped: '–' }

function planLines(items: readonly PlanItem[], room: number): Line[] {
  if (items.length === 0 || room < 1) return []
  const done = items.filter(({ status: state }) => state === 'done').length
  const head = {
    symbol: '☰',
    kind: 'plan',
    text: `${count(done)} of ${count(items.length)} done`,
    tone: 'cyan',
  } as const
  const { from, to } = planWindow(items, room - 1)
  const shown = items.slice(from, to).map(({ title, status: state }): Line => {
    const tone = state === 'done' || state === 'skipped' ? 'dim' : state === 'in_progress' ? 'bold' : 'plain'
    return { text: `${ticks[state] ?? '·'} ${oneLine(title)}`, tone }
  })
  const marked = items.length > to - from && room - 1 > 2
  const above = marked && from > 0 ? [more(from, 'before')] : []
  const below = marked && to < items.length ? [more(items.length - to)] : []
  return [head, ...above, ...shown, ...below]
}

/** The items to show where not all fit: from one before the first that is not closed, with room for what says `more`. */
function planWindow(items: readonly PlanItem[], room: number): { from: number; to: number } {
  if (items.length <= room) return { from: 0, to: items.length }
  const open = items.findIndex(({ status: state }) => state !== 'done' && state !== 'skipped')
  const first = open === -1 ? items.length - 1 : open
  if (room <= 2) return { from: first, to: Math.min(items.length, first + room) }
  // A mark above stands for two items or more: for one, the item itself takes no more room.
  const start = first - 1 >= 2 ? first - 1 : 0
  const shown = room - (start > 0 ? 1 : 0)
  if (start + shown >= items.length) return { from: items.length - room + 1, to: items.length }
  return { from: start, to: start + shown - 1 }
}

function status({ phase, since, used }: Activity, { now, columns, colors }: Screen): string {
  const time = phase === 'unknown' ? undefined : elapsed(now - since)
  const steps = `${count(used.steps)} ${used.steps === 1 ? 'step' : 'steps'}`
  const sum = `${used.estimated ? '~' : ''}${count(used.inputTokens + used.outputTokens)} tokens`
  const cost = money(used.costUsd) ?? '$0'
  const variants = [
    [steps, `${tokens(used)} tokens`, cost, time],
    [steps, sum, cost, time],
    [sum, cost, time],
    [cost, time],
  ].map((parts) => parts.filter((part) => part !== undefined).join(' · '))
  const fits = variants.find((text) => displayWidth(text) <= columns) ?? cut(variants.at(-1) ?? '', columns)
  return paint(fits, 'dim', colors)
}

/** With tenths up to a minute, so that one sees it move. */
function elapsed(ms: number): string {
  const passed = Number.isFinite(ms) ? Math.max(0, ms) : 0
  return passed < 59_950 ? `${(passed / 1000).toFixed(1)} s` : duration(passed)
}

function left(ms: number): string {
  if (!Number.isFinite(ms)) return ''
  return ms <= 0 ? 'due' : `${duration(Math.ceil(ms / 1000) * 1000).replace('.0 s', ' s')} left`
}
