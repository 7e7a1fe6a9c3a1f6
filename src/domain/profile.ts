import { z } from 'zod'
import { limitsSchema } from './event.ts'
import { USD_PATTERN } from './money.ts'

export const effectSchema = z.enum(['read', 'idempotent', 'once'])

/** Who deals with a call of which nobody knows whether it happened: the model, a person, or nobody: the mission ends. */
export const unknownOutcomesSchema = z.enum(['model', 'person', 'end'])

export type UnknownOutcomes = z.infer<typeof unknownOutcomesSchema>

export const usdSchema = z.string().regex(USD_PATTERN, 'a plain amount of US dollars such as "0.50"')

/** What a model is told about a tool, pinned with the mission; the effect decides what a crash does to a call. */
export const pinnedToolSchema = z.object({
  name: z.string(),
  description: z.string(),
  parameters: z.record(z.string(), z.unknown()),
  effect: effectSchema,
})

/**
 * The agent configuration that a mission runs on, from its creation to its end, whatever is deployed meanwhile.
 * Stored once by content hash.
 */
export const effectiveProfileSchema = z.object({
  name: z.string(),
  model: z.object({
    /** Absent: the deployment's own model (OPENAI_MODEL). */
    name: z.string().optional(),
    temperature: z.number().min(0).max(2).optional(),
    maxOutputTokens: z.int().positive().optional(),
  }),
  instructions: z.string(),
  tools: z.array(pinnedToolSchema),
  limits: limitsSchema,
  /** US dollars for a million tokens, by model name. */
  prices: z.record(z.string(), z.object({ inputUsd: usdSchema, outputUsd: usdSchema })),
  egress: z.object({ allow: z.array(z.string()), post: z.array(z.string()).default([]) }),
  /** Absent: `model`, as in profiles that were pinned before there was a choice. */
  unknownOutcomes: unknownOutcomesSchema.optional(),
})

export type EffectiveProfile = z.infer<typeof effectiveProfileSchema>

/**
 * The price of a model: by the name that the server gave, by that name without its date (OpenAI and Azure answer with
 * `gpt-5-mini-2025-08-07`), or else by the name that was asked for. Undefined where the profile gives none of them a price.
 */
export function priceOf(
  prices: EffectiveProfile['prices'],
  answeredName: string,
  askedName: string,
): EffectiveProfile['prices'][string] | undefined {
  const undated = answeredName.replace(/-(?:\d{4}-\d{2}-\d{2}|\d{8})$/, '')
  // A server may call its model anything, also `constructor`.
  const known = [answeredName, undated, askedName].find((name) => Object.hasOwn(prices, name))
  return known === undefined ? undefined : prices[known]
}
