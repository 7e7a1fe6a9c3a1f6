import { z } from 'zod'

/** The version that this build writes; older ones are upcast on read (`upcast.ts`). */
export const EVENT_VERSION = 1

export const usageSchema = z.object({
  inputTokens: z.int().nonnegative(),
  outputTokens: z.int().nonnegative(),
  costUsd: z.string(),
  estimated: z.boolean().optional(),
  /** The profile has no price for the model, so its cost is not in `costUsd`. */
  unpriced: z.boolean().optional(),
})

export const toolCallSchema = z.object({ id: z.string(), name: z.string(), arguments: z.string() })

export const fileSchema = z.object({ name: z.string(), bytes: z.int().nonnegative(), sha256: z.string() })

export const planItemSchema = z.object({
  id: z.string(),
  title: z.string(),
  status: z.enum(['pending', 'in_progress', 'done', 'skipped']),
  dependsOn: z.array(z.string()).optional(),
})

export const limitsSchema = z.object({
  steps: z.int().positive(),
  tokens: z.int().positive(),
  costUsd: z.string(),
  wallMs: z.int().positive(),
})

export const messageSchema = z.object({ role: z.enum(['user', 'assistant']), content: z.string() })

const failureSchema = z.object({ code: z.string(), message: z.string(), hint: z.string().optional() })

/** Where a part of a tool's result came from. */
export const sourceSchema = z.object({ id: z.string(), title: z.string().optional(), url: z.string().optional() })

const resultSchema = z.object({
  text: z.string(),
  citations: z.array(sourceSchema).optional(),
  files: z.array(fileSchema).optional(),
})

const onDeadlineSchema = z.object({ action: z.enum(['continue', 'fail']), answer: z.unknown().optional() })

const callDone = { callId: z.string(), name: z.string(), durationMs: z.number().nonnegative() }

/** What each type of event carries, at least; unknown members are kept, so that old code can read what newer code wrote. */
export const eventDataSchemas = {
  'mission.created': z.looseObject({
    messages: z.array(messageSchema).min(1),
    profile: z.object({ name: z.string(), hash: z.string() }),
    limits: limitsSchema,
    labels: z.record(z.string(), z.string()),
    files: z.array(fileSchema),
    priority: z.int(),
    deadline: z.string().optional(),
    metadata: z.record(z.string(), z.unknown()).optional(),
    /** The journal goes on from another mission's: from its state after event `seq`. */
    forkedFrom: z.object({ id: z.string(), seq: z.int().positive() }).optional(),
    /** What a person says to it there. */
    said: z.string().optional(),
    /** Ids of calls that were pending there, and had begun in the other mission when this one was made. */
    begun: z.array(z.string()).optional(),
  }),
  'mission.started': z.looseObject({ instance: z.string() }),
  'model.answered': z.looseObject({
    model: z.string(),
    text: z.string().optional(),
    toolCalls: z.array(toolCallSchema),
    finishReason: z.string().optional(),
    /** What a content filter objected to where it stopped the answer, such as "violence (high)". */
    contentFilter: z.array(z.string()).optional(),
    usage: usageSchema,
    durationMs: z.number().nonnegative(),
    /** Number of the last event that the model was told of; absent: of the one before this. */
    seenSeq: z.int().nonnegative().optional(),
  }),
  'model.failed': z.looseObject({
    model: z.string(),
    error: failureSchema,
    retry: z.boolean(),
    retryAfterMs: z.number().nonnegative().optional(),
    contentFilter: z.array(z.string()).optional(),
    /** An estimate, where answers broke off that the server bills all the same. */
    usage: usageSchema.optional(),
    durationMs: z.number().nonnegative(),
  }),
  'tool.started': z.looseObject({ callId: z.string(), name: z.string(), key: z.string() }),
  'tool.finished': z.looseObject({
    ...callDone,
    effect: z.enum(['read', 'idempotent', 'once']),
    output: z.string().optional(),
    content: z.object({ sha256: z.string(), bytes: z.int() }).optional(),
    files: z.array(fileSchema).optional(),
    sources: z.array(sourceSchema).optional(),
  }),
  'tool.failed': z.looseObject({ ...callDone, error: failureSchema }),
  'tool.unknown': z.looseObject({
    callId: z.string(),
    name: z.string(),
    key: z.string(),
    reason: z.string().optional(),
    /** Who deals with it in place of the model: a person is asked, or the mission ends. */
    policy: z.enum(['person', 'end']).optional(),
  }),
  'plan.updated': z.looseObject({ callId: z.string(), items: z.array(planItemSchema) }),
  'question.asked': z.looseObject({
    questionId: z.string(),
    callId: z.string(),
    kind: z.enum(['question', 'approval']),
    text: z.string(),
    schema: z.record(z.string(), z.unknown()),
    deadline: z.string().optional(),
    onDeadline: onDeadlineSchema,
  }),
  'question.reminded': z.looseObject({ questionId: z.string() }),
  'question.answered': z.looseObject({ questionId: z.string(), answer: z.unknown(), by: z.string() }),
  'question.expired': z.looseObject({ questionId: z.string() }),
  'budget.granted': z.looseObject({ limits: limitsSchema.partial() }),
  'budget.exhausted': z.looseObject({ limit: z.string() }),
  'timer.set': z.looseObject({ timerId: z.string(), callId: z.string(), until: z.string() }),
  /** `early`: before its time, for a message that came. */
  'timer.fired': z.looseObject({ timerId: z.string(), early: z.boolean().optional() }),
  'mission.paused': z.looseObject({ by: z.string(), reason: z.string().optional() }),
  'mission.resumed': z.looseObject({ by: z.string(), reason: z.string().optional() }),
  'mission.message': z.looseObject({ role: z.literal('user'), content: z.string(), by: z.string() }),
  'child.started': z.looseObject({ childId: z.string(), callId: z.string() }),
  'child.ended': z.looseObject({ childId: z.string(), status: z.string() }),
  'context.compacted': z.looseObject({ summary: z.string(), uptoSeq: z.int() }),
  'mission.completed': z.looseObject({ result: resultSchema }),
  /** `result`: what it has so far. */
  'mission.failed': z.looseObject({ ...failureSchema.shape, result: resultSchema.optional() }),
  'mission.cancelled': z.looseObject({ by: z.string(), reason: z.string().optional() }),
} as const

export type EventType = keyof typeof eventDataSchemas

/** Something to append: it has no number and no time until it is recorded. */
export type EventDraft = {
  [T in EventType]: { type: T; data: z.infer<(typeof eventDataSchemas)[T]> }
}[EventType]

/** One row of the journal. `at` is the database's time in milliseconds since 1970. */
export type MissionEvent = EventDraft & { seq: number; at: number }

export type ToolCall = z.infer<typeof toolCallSchema>
export type PlanItem = z.infer<typeof planItemSchema>
export type FileRef = z.infer<typeof fileSchema>
export type Limits = z.infer<typeof limitsSchema>
export type Message = z.infer<typeof messageSchema>
export type Failure = z.infer<typeof failureSchema>
export type Source = z.infer<typeof sourceSchema>
export type Result = z.infer<typeof resultSchema>

const endings: ReadonlySet<string> = new Set(['mission.completed', 'mission.failed', 'mission.cancelled'])

/** Whether nothing may follow an event of this type. */
export function endsJournal(type: string): boolean {
  return endings.has(type)
}
