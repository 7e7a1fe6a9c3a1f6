import { z } from 'zod'
import { unknownOutcomesSchema, usdSchema } from '../domain/profile.ts'

const ORIGIN = /^https?:\/\/[^/\s?#@*]+$/
const origin = z.string().regex(ORIGIN, 'an origin such as https://example.com, without a path')
const originOrAny = z.string().refine((text) => text === '*' || ORIGIN.test(text), {
  error: 'an origin such as https://example.com, without a path, or *',
})

/** One file of `profiles/`. Every key is described here and nowhere else. */
export const profileFileSchema = z.strictObject({
  description: z.string().describe('What the profile is for, in one line.'),
  model: z
    .strictObject({
      name: z.string().min(1).optional().describe("Absent: the deployment's OPENAI_MODEL or AZURE_OPENAI_DEPLOYMENT."),
      temperature: z.number().min(0).max(2).optional().describe("Absent: the server's own. Not all models take one."),
      maxOutputTokens: z.int().positive().optional().describe('Most tokens of one answer.'),
    })
    .default({})
    .describe('The language model.'),
  instructions: z.string().min(1).describe('The first words of the system prompt.'),
  tools: z
    .array(z.string())
    .min(1)
    .describe('Names of the tools that the agent may use; nothing else is offered or run.'),
  limits: z
    .strictObject({
      steps: z.int().min(1).max(100_000).describe('Model calls and tool calls together.'),
      tokens: z.int().min(1).describe('Input and output tokens of all model calls.'),
      costUsd: usdSchema.describe('US dollars, by the prices below.'),
      wallHours: z
        .number()
        .positive()
        .max(24 * 365)
        .describe('From the first step to the end, waits included.'),
    })
    .describe('At a limit the mission ends and says which one it was. A request may set its own.'),
  prices: z
    .record(
      z.string(),
      z.strictObject({
        inputUsd: usdSchema.describe('US dollars for a million tokens that the model reads.'),
        outputUsd: usdSchema.describe('US dollars for a million tokens that it writes, thinking included.'),
      }),
    )
    .default({})
    .describe('By model, as the server names it or as it was asked for. A model without a price counts as free.'),
  egress: z
    .strictObject({
      allow: z.array(originOrAny).default([]).describe('Origins that fetch_url may read; * for any public one.'),
      post: z.array(origin).default([]).describe('Origins that post_webhook may send to; each is named.'),
    })
    .default({ allow: [], post: [] })
    .describe('What tools may reach on the network.'),
  unknownOutcomes: unknownOutcomesSchema
    .optional()
    .describe(
      'Who deals with a call that acts once when nobody knows whether it happened: `model` (the default), `person` (is asked), or `end` (the mission fails).',
    ),
})

export type ProfileFile = z.infer<typeof profileFileSchema>
