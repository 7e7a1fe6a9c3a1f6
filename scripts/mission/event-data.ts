import { z } from 'zod'

/** The parts of events that more than one module reads, as loosely as `schemas.ts` reads the API. */
const planItemSchema = z.looseObject({ id: z.string(), title: z.string(), status: z.string() })

export const planSchema = z.looseObject({ callId: z.string().default(''), items: z.array(planItemSchema) })

const tokensSchema = z.looseObject({
  inputTokens: z.number(),
  outputTokens: z.number(),
  costUsd: z
    .string()
    .regex(/^\d+(\.\d{1,12})?$/)
    .default('0')
    .catch('0'),
  estimated: z.boolean().optional(),
})

export const modelAnswerSchema = z.looseObject({
  model: z.string(),
  text: z.string().default(''),
  toolCalls: z
    .array(z.looseObject({ id: z.string(), name: z.string(), arguments: z.string().default('') }))
    .default([]),
  finishReason: z.string().optional(),
  contentFilter: z.array(z.string()).default([]),
  usage: tokensSchema,
  durationMs: z.number(),
})

export const failureSchema = z.looseObject({ code: z.string(), message: z.string(), hint: z.string().optional() })

export const modelFailureSchema = z.looseObject({
  model: z.string(),
  error: failureSchema,
  retry: z.boolean().default(false),
  retryAfterMs: z.number().default(0),
  usage: tokensSchema.optional(),
  durationMs: z.number(),
})

export const timerSchema = z.looseObject({ timerId: z.string(), callId: z.string(), until: z.string() })

export type PlanItem = z.infer<typeof planItemSchema>
export type Tokens = z.infer<typeof tokensSchema>
