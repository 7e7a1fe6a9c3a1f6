import { z } from 'zod'

/**
 * What the API answers, read loosely: only what is shown is named, and what is not named is kept, so that `--json` passes
 * on everything and a newer API does not break an older command.
 */
export const questionSchema = z.looseObject({
  questionId: z.string(),
  kind: z.string().default('question'),
  text: z.string().default(''),
  schema: z.record(z.string(), z.unknown()).default({}),
  deadline: z.string().optional(),
})

const usageSchema = z.looseObject({
  steps: z.number().default(0),
  inputTokens: z.number().default(0),
  outputTokens: z.number().default(0),
  costUsd: z.string().default('0'),
  unpriced: z.boolean().default(false),
})

export const fileSchema = z.looseObject({ name: z.string(), bytes: z.number(), sha256: z.string().optional() })

const citationSchema = z.looseObject({ id: z.string(), title: z.string().optional(), url: z.string().optional() })

const resultSchema = z.looseObject({
  text: z.string().default(''),
  citations: z.array(citationSchema).optional().catch(undefined),
  files: z.array(fileSchema).optional(),
})

export const forkedFromSchema = z.looseObject({ id: z.string(), seq: z.number() }).optional().catch(undefined)

export const missionSchema = z.looseObject({
  id: z.string(),
  status: z.string(),
  goal: z.string().default(''),
  profile: z.string().default(''),
  labels: z.record(z.string(), z.string()).default({}),
  createdAt: z.string().optional(),
  startedAt: z.string().optional(),
  endedAt: z.string().optional(),
  result: resultSchema.optional(),
  error: z.looseObject({ code: z.string(), message: z.string(), hint: z.string().optional() }).optional(),
  questions: z.array(questionSchema).optional(),
  usage: usageSchema.optional(),
  lastSeq: z.number().default(0),
  forkedFrom: forkedFromSchema,
})

export const eventSchema = z.looseObject({
  seq: z.number(),
  type: z.string(),
  at: z.string(),
  data: z.record(z.string(), z.unknown()).default({}),
})

export const eventPageSchema = z.looseObject({ items: z.array(eventSchema), nextAfter: z.number().nullable() })
export const missionPageSchema = z.looseObject({
  items: z.array(missionSchema),
  nextCursor: z.string().nullable().default(null),
})
export const filePageSchema = z.looseObject({ items: z.array(fileSchema) })

export const problemSchema = z.looseObject({
  title: z.string(),
  status: z.number(),
  detail: z.string().optional(),
  code: z.string().optional(),
  errors: z.array(z.looseObject({ pointer: z.string(), detail: z.string() })).optional(),
})

export type Question = z.infer<typeof questionSchema>
export type Mission = z.infer<typeof missionSchema>
export type JournalEvent = z.infer<typeof eventSchema>
export type EventPage = z.infer<typeof eventPageSchema>
export type MissionFile = z.infer<typeof fileSchema>
export type Citation = z.infer<typeof citationSchema>
export type Result = z.infer<typeof resultSchema>
export type Problem = z.infer<typeof problemSchema>

const endings: ReadonlySet<string> = new Set(['mission.completed', 'mission.failed', 'mission.cancelled'])

/** Whether an event of this type is a journal's last (contracts page, "Event types"). */
export function endsJournal(type: string): boolean {
  return endings.has(type)
}
