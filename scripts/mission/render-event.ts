import { z } from 'zod'
import { failureSchema, modelAnswerSchema, modelFailureSchema, planSchema, type PlanItem } from './event-data.ts'
import { layOut, type Line } from './line.ts'
import { forkedFromSchema, questionSchema, type JournalEvent } from './schemas.ts'
import type { Colors } from './terminal.ts'
import { count, duration, firstLine, money, oneLine, originOf, tokens } from './text.ts'
import { shortArguments, type View } from './view.ts'

export interface RenderState extends View {
  columns: number
  colors: Colors
}

type Row = (event: JournalEvent, view: View) => Line[] | undefined

const callSchema = z.looseObject({ callId: z.string(), name: z.string(), durationMs: z.number().default(0) })
const bySchema = z.looseObject({ by: z.string().optional(), reason: z.string().optional() })

const rows: Record<string, Row> = {
  'mission.created': row(
    z.looseObject({
      profile: z.looseObject({ name: z.string() }),
      files: z.array(z.unknown()).default([]),
      forkedFrom: forkedFromSchema,
    }),
    ({ profile, files, forkedFrom }) => [
      { symbol: '●', kind: 'created', text: `profile ${profile.name}`, aside: fileCount(files.length) },
      ...(forkedFrom === undefined ? [] : [{ text: `goes on from ${originOf(forkedFrom)}`, tone: 'dim' as const }]),
    ],
  ),
  'mission.started': () => [{ symbol: '●', kind: 'started', text: '' }],
  'model.answered': row(modelAnswerSchema, modelAnswered),
  'model.failed': row(modelFailureSchema, ({ model, error, retry, durationMs }) => [
    { symbol: '✘', kind: 'model', text: oneLine(model), right: duration(durationMs), tone: 'red' },
    reason(error, retry ? ' It is tried again.' : ''),
  ]),
  'tool.started': row(callSchema, ({ callId, name }, view) => [
    { symbol: '▸', kind: 'tool', text: `${oneLine(name)} starts`, aside: shortArguments(view, callId), tone: 'dim' },
  ]),
  'tool.finished': row(callSchema, ({ callId, name, durationMs }, view) => [
    toolLine('✔', 'green', name, shortArguments(view, callId), duration(durationMs)),
  ]),
  'tool.failed': row(callSchema.extend({ error: failureSchema }), ({ callId, name, durationMs, error }, view) => [
    toolLine('✘', 'red', name, shortArguments(view, callId), duration(durationMs)),
    reason(error),
  ]),
  'tool.unknown': row(callSchema.extend({ reason: z.string().optional() }), ({ callId, name, reason: why }, view) => [
    toolLine('!', 'yellow', name, shortArguments(view, callId)),
    ...(why === undefined ? [] : [{ text: oneLine(why), tone: 'yellow' as const }]),
    {
      text: `Nobody knows whether it was done: it ${why === undefined ? 'was cut off, and ' : ''}is not run again.`,
      tone: 'yellow',
    },
  ]),
  'plan.updated': row(planSchema, ({ items }, view) => planLines(items, view.plan)),
  'question.asked': row(questionSchema, ({ kind, text, deadline }) => [
    { symbol: '?', kind, text: firstLine(text), tone: 'cyan' },
    ...(deadline === undefined ? [] : [{ text: `to be answered by ${moment(deadline)}`, tone: 'dim' as const }]),
  ]),
  'question.reminded': () => [{ symbol: '?', kind: 'question', text: 'is still open', tone: 'cyan' }],
  'question.answered': row(z.looseObject({ answer: z.unknown(), by: z.string().optional() }), ({ answer, by }) => [
    { symbol: '✔', kind: 'answer', text: showValue(answer), aside: by && `by ${oneLine(by)}`, tone: 'cyan' },
  ]),
  'question.expired': () => [{ symbol: '!', kind: 'question', text: 'was not answered in time', tone: 'yellow' }],
  'budget.granted': row(z.looseObject({ limits: z.record(z.string(), z.unknown()) }), ({ limits }) => [
    { symbol: '●', kind: 'budget', text: `granted: ${showValue(limits)}` },
  ]),
  'budget.exhausted': row(z.looseObject({ limit: z.string() }), ({ limit }) => [
    { symbol: '!', kind: 'budget', text: `used up: ${oneLine(limit)}`, tone: 'yellow' },
  ]),
  'timer.set': (event) => timerSet(event),
  'timer.fired': ({ data }) => {
    const text = data.early === true ? 'a message ended the wait' : 'the wait is over'
    return [{ symbol: '◷', kind: 'timer', text, tone: 'cyan' }]
  },
  'mission.paused': row(bySchema, (data) => [{ symbol: '●', kind: 'paused', text: byWhom(data), tone: 'yellow' }]),
  'mission.resumed': row(bySchema, (data) => [{ symbol: '●', kind: 'resumed', text: byWhom(data) }]),
  'mission.message': row(z.looseObject({ content: z.string(), by: z.string().optional() }), ({ content, by }) => [
    { symbol: '●', kind: 'message', text: firstLine(content), aside: by && `by ${oneLine(by)}`, tone: 'cyan' },
  ]),
  'child.started': row(z.looseObject({ childId: z.string() }), ({ childId }) => [
    { symbol: '●', kind: 'child', text: `${oneLine(childId)} started` },
  ]),
  'child.ended': row(z.looseObject({ childId: z.string(), status: z.string() }), ({ childId, status }) => [
    { symbol: '●', kind: 'child', text: `${oneLine(childId)} ${oneLine(status)}` },
  ]),
  'context.compacted': () => [{ symbol: '●', kind: 'context', text: 'earlier steps were summed up', tone: 'dim' }],
  'mission.completed': () => [{ symbol: '■', kind: 'completed', text: '', tone: 'green' }],
  'mission.failed': row(failureSchema, (error) => [
    { symbol: '■', kind: 'failed', text: `${oneLine(error.code)}: ${oneLine(error.message)}`, tone: 'red' },
  ]),
  'mission.cancelled': row(bySchema, (data) => [
    { symbol: '■', kind: 'cancelled', text: byWhom(data), tone: 'yellow' },
  ]),
}

/** The lines that a person sees for one event. An event of a type or form that is not known is shown by its name. */
export function renderEvent(event: JournalEvent, state: RenderState): string[] {
  const known = Object.hasOwn(rows, event.type) ? rows[event.type]?.(event, state) : undefined
  const lines = known ?? [{ symbol: '·', kind: 'event', text: oneLine(event.type), tone: 'dim' as const }]
  return lines.map((line) => layOut(line, state.columns, state.colors))
}

function row<S extends z.ZodType>(schema: S, render: (data: z.infer<S>, view: View) => Line[]): Row {
  return (event, view) => {
    const parsed = schema.safeParse(event.data)
    return parsed.success ? render(parsed.data, view) : undefined
  }
}

function modelAnswered(answer: z.infer<typeof modelAnswerSchema>): Line[] {
  const { model, text, toolCalls, usage, durationMs } = answer
  const used = [duration(durationMs), tokens(usage), money(usage.costUsd)]
  const right = used.filter((part) => part !== undefined).join(' · ')
  const chosen = toolCalls.length === 0 ? '' : `→ ${toolCalls.map((call) => oneLine(call.name)).join(', ')}`
  const said = firstLine(text) || chosen
  const stopped = whyStopped(answer)
  return [
    { symbol: '◆', kind: 'model', text: oneLine(model), right, tone: 'cyan' },
    ...(said === '' ? [] : [{ text: said }]),
    ...(stopped === undefined ? [] : [{ text: stopped, tone: 'yellow' as const }]),
  ]
}

function whyStopped({ finishReason, contentFilter }: z.infer<typeof modelAnswerSchema>): string | undefined {
  if (finishReason === 'length') return 'cut at its length limit'
  if (finishReason !== 'content_filter') return undefined
  const named = contentFilter.length === 0 ? '' : `: ${contentFilter.map(oneLine).join(', ')}`
  return `stopped by the content filter${named}`
}

function toolLine(symbol: string, tone: Line['tone'], name: string, aside?: string, right?: string): Line {
  return { symbol, kind: 'tool', text: oneLine(name), aside, right, tone }
}

function reason(error: z.infer<typeof failureSchema>, after = ''): Line {
  return { text: `${oneLine(error.code)}: ${oneLine(error.message)}${after}`, tone: 'red' }
}

const marks: Record<string, string> = { done: '☑', in_progress: '▸', pending: '☐', skipped: '–' }

/** The whole plan once, then only what changed: a plan may have 100 items and be ticked 100 times. */
function planLines(items: PlanItem[], before: readonly PlanItem[]): Line[] {
  const known = new Map(before.map((item) => [item.id, item]))
  const changed = items.filter(({ id, title, status }) => {
    const old = known.get(id)
    return old === undefined || old.title !== title || old.status !== status
  })
  const done = items.filter((item) => item.status === 'done').length
  return [
    { symbol: '☰', kind: 'plan', text: `${count(done)} of ${count(items.length)} done`, tone: 'cyan' },
    ...changed.map(({ title, status }): Line => {
      const closed = status === 'done' || status === 'skipped'
      return { text: `${marks[status] ?? '☐'} ${oneLine(title)}`, tone: closed ? 'dim' : 'plain' }
    }),
  ]
}

function timerSet(event: JournalEvent): Line[] | undefined {
  const { until } = event.data
  if (typeof until !== 'string') return undefined
  const wait = Date.parse(until) - Date.parse(event.at)
  const text = Number.isFinite(wait) ? `waits ${duration(Math.max(0, wait))}` : 'waits'
  return [{ symbol: '◷', kind: 'timer', text, aside: `until ${moment(until)}`, tone: 'cyan' }]
}

/** `2026-03-01 12:30:05 UTC`. */
export function moment(at: string): string {
  const time = Date.parse(at)
  return Number.isFinite(time) ? `${new Date(time).toISOString().slice(0, 19).replace('T', ' ')} UTC` : oneLine(at)
}

function byWhom({ by, reason: why }: z.infer<typeof bySchema>): string {
  return [by === undefined ? '' : `by ${oneLine(by)}`, why === undefined ? '' : oneLine(why)].filter(Boolean).join(': ')
}

function fileCount(files: number): string | undefined {
  return files === 0 ? undefined : files === 1 ? 'with 1 file' : `with ${files} files`
}

function showValue(value: unknown): string {
  return oneLine(typeof value === 'string' ? value : (JSON.stringify(value) ?? ''))
}
