import { z } from 'zod'
import { retryDelayMs } from '../../src/domain/model-retry.ts'
import { addUsd } from '../../src/domain/money.ts'
import { modelAnswerSchema, modelFailureSchema, planSchema, timerSchema, type Tokens } from './event-data.ts'
import { endsJournal, questionSchema, type JournalEvent } from './schemas.ts'

/** What a tool call without a result does: it runs, waits for a time, or waits for a person. */
export type Doing =
  | { is: 'running' }
  | { is: 'waiting'; timerId: string; until: number }
  | { is: 'asking'; questionId: string; kind: string; text: string; deadline: number | undefined }

export interface OpenCall {
  id: string
  name: string
  since: number
  doing: Doing
}

/** What a mission used so far, counted as the API counts it: each answer of a model and each result is a step. */
export interface Used {
  steps: number
  inputTokens: number
  outputTokens: number
  costUsd: string
  estimated: boolean
}

/** What goes on in a mission as far as its journal tells. Times are the server's, in milliseconds since 1970. */
export interface Activity {
  phase: 'unknown' | 'queued' | 'running' | 'paused' | 'ended'
  /** Of the mission: its start or, before that, its creation. */
  since: number
  /** Calls of the model's last answer that have no result yet. */
  open: readonly OpenCall[]
  /** Since when the model thinks, where no call is open: no event tells when a model call begins. */
  thinkingSince: number
  modelFailures: number
  /** Not before this the model is asked again after it failed. */
  modelRetryAt: number
  used: Used
}

export const noActivity: Activity = {
  phase: 'unknown',
  since: 0,
  open: [],
  thinkingSince: 0,
  modelFailures: 0,
  modelRetryAt: 0,
  used: { steps: 0, inputTokens: 0, outputTokens: 0, costUsd: '0', estimated: false },
}

type Apply = (activity: Activity, event: JournalEvent, at: number) => Activity

const apply: Record<string, Apply> = {
  'mission.created': (activity, _, at) => ({ ...activity, phase: 'queued', since: at }),
  'mission.started': (activity, _, at) => ({ ...activity, phase: 'running', since: at, thinkingSince: at }),
  'mission.paused': (activity) => ({ ...activity, phase: 'paused' }),
  'mission.resumed': (activity, _, at) => ({ ...activity, phase: 'running', thinkingSince: at }),
  'model.answered': reads(modelAnswerSchema, (activity, { toolCalls, usage }, at) => ({
    ...activity,
    open: toolCalls.map(({ id, name }) => ({ id, name, since: at, doing: { is: 'running' } })),
    thinkingSince: at,
    modelFailures: 0,
    modelRetryAt: 0,
    used: withTokens({ ...activity.used, steps: activity.used.steps + 1 }, usage),
  })),
  'model.failed': reads(modelFailureSchema, (activity, { retryAfterMs, usage }, at) => ({
    ...activity,
    thinkingSince: at,
    modelFailures: activity.modelFailures + 1,
    modelRetryAt: at + Math.max(retryAfterMs, retryDelayMs(activity.modelFailures + 1)),
    used: usage === undefined ? activity.used : withTokens(activity.used, usage),
  })),
  'tool.finished': settledByCall,
  'tool.failed': settledByCall,
  'tool.unknown': settledByCall,
  'plan.updated': reads(planSchema, (activity, { callId }, at) => settle(activity, at, ({ id }) => id === callId)),
  'question.asked': reads(questionSchema.extend({ callId: z.string() }), (activity, question, at) => {
    const { callId, questionId, kind, text } = question
    const deadline = question.deadline === undefined ? undefined : Date.parse(question.deadline)
    return withDoing(activity, callId, at, { is: 'asking', questionId, kind, text, deadline })
  }),
  'question.answered': settledByQuestion,
  'question.expired': settledByQuestion,
  'timer.set': reads(timerSchema, (activity, { callId, timerId, until }, at) =>
    withDoing(activity, callId, at, { is: 'waiting', timerId, until: Date.parse(until) }),
  ),
  'timer.fired': (activity, { data }, at) =>
    settle(activity, at, ({ doing }) => doing.is === 'waiting' && doing.timerId === data.timerId),
}

/** Folds one event into what goes on; pure. Events that it does not know, or whose form it does not, change nothing. */
export function nextActivity(activity: Activity, event: JournalEvent): Activity {
  const time = Date.parse(event.at)
  const at = Number.isFinite(time) ? time : activity.thinkingSince
  if (endsJournal(event.type)) return { ...activity, phase: 'ended', open: [] }
  return Object.hasOwn(apply, event.type) ? (apply[event.type]?.(activity, event, at) ?? activity) : activity
}

function reads<S extends z.ZodType>(
  schema: S,
  change: (activity: Activity, data: z.infer<S>, at: number) => Activity,
): Apply {
  return (activity, event, at) => {
    const parsed = schema.safeParse(event.data)
    return parsed.success ? change(activity, parsed.data, at) : activity
  }
}

function settledByCall(activity: Activity, { data }: JournalEvent, at: number): Activity {
  return settle(activity, at, ({ id }) => id === data.callId)
}

function settledByQuestion(activity: Activity, { data }: JournalEvent, at: number): Activity {
  return settle(activity, at, ({ doing }) => doing.is === 'asking' && doing.questionId === data.questionId)
}

function settle(activity: Activity, at: number, isIt: (call: OpenCall) => boolean): Activity {
  const open = activity.open.filter((call) => !isIt(call))
  if (open.length === activity.open.length) return activity
  return { ...activity, open, thinkingSince: at, used: { ...activity.used, steps: activity.used.steps + 1 } }
}

function withDoing(activity: Activity, callId: string, at: number, doing: Doing): Activity {
  return { ...activity, open: activity.open.map((call) => (call.id === callId ? { ...call, since: at, doing } : call)) }
}

function withTokens(used: Used, more: Tokens): Used {
  return {
    ...used,
    inputTokens: used.inputTokens + more.inputTokens,
    outputTokens: used.outputTokens + more.outputTokens,
    costUsd: addUsd(used.costUsd, more.costUsd),
    estimated: used.estimated || more.estimated === true,
  }
}
