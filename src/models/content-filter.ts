import type { ContentFilterResultOutput } from '@azure/openai/types'
import type { OpenAI } from 'openai'
import { z } from 'zod'

/** A schema for each field that we read, under a name that the type knows: @azure/openai/types adds Azure's fields. */
type FieldsOf<Sent> = { [Field in keyof Sent]?: z.ZodType }

/**
 * The verdicts are read one by one by `filteredCategories`, not here: whatever is wrong with one must not cost an answer.
 */
export const choiceFilterFields = {
  content_filter_results: z.unknown().optional(),
} satisfies FieldsOf<OpenAI.ChatCompletionChunk.Choice>

export const promptFilterFields = {
  prompt_filter_results: z.array(z.object(choiceFilterFields)).nullish().catch(undefined),
} satisfies FieldsOf<OpenAI.ChatCompletionChunk>

/** A verdict that stopped something; the ones that only annotate don't fit. */
const filteredSchema = z.object({
  filtered: z.literal(true),
  severity: z.string().regex(/^\w+$/).max(20).optional().catch(undefined),
} satisfies FieldsOf<ContentFilterResultOutput>)

const verdictsSchema = z.record(z.string(), z.unknown()).catch({})

/**
 * The categories that were filtered, such as "violence (high)" or "jailbreak"; none for annotations alone, and for anything
 * that is no such verdict. A list of block lists is filtered where one of them is.
 */
export function filteredCategories(verdicts: unknown): string[] {
  return Object.entries(verdictsSchema.parse(verdicts)).flatMap(([category, verdict]) => {
    const found = [verdict].flat().map((one) => filteredSchema.safeParse(one))
    const filtered = found.find((one) => one.success)?.data
    if (!filtered || !/^\w{1,40}$/.test(category)) return []
    return [filtered.severity ? `${category} (${filtered.severity})` : category]
  })
}
