import { z } from 'zod'
import { choiceFilterFields, promptFilterFields } from './content-filter.ts'

const toolCallPieceSchema = z.object({
  index: z.number().nullish().catch(undefined),
  id: z.string().nullish().catch(undefined),
  function: z
    .object({
      name: z.string().nullish().catch(undefined),
      // A few servers send the arguments as an object instead of as its text.
      arguments: z
        .union([z.string(), z.record(z.string(), z.unknown())])
        .nullish()
        .catch(undefined),
    })
    .nullish(),
})

const deltaSchema = z.object({
  content: z.string().nullish().catch(undefined),
  refusal: z.string().nullish().catch(undefined),
  tool_calls: z.array(toolCallPieceSchema).nullish(),
})

const choiceSchema = z.object({
  index: z.number().nullish().catch(undefined),
  delta: deltaSchema.nullish(),
  // The whole message, from a server that does not stream.
  message: deltaSchema.nullish(),
  finish_reason: z.string().nullish().catch(undefined),
  ...choiceFilterFields,
})

/** A billion at most, a thousand times the largest context: a server that says more, or 12.5 or -1, has not counted. */
const tokensSchema = z.int().nonnegative().max(1e9)

/** One chunk of a streamed Chat Completions answer, or a whole unstreamed one: what we read of it, and leniently. */
export const completionChunkSchema = z.object({
  model: z.string().nullish().catch(undefined),
  choices: z.array(choiceSchema).nullish(),
  usage: z.object({ prompt_tokens: tokensSchema, completion_tokens: tokensSchema }).nullish().catch(undefined),
  ...promptFilterFields,
})

export type CompletionChunk = z.infer<typeof completionChunkSchema>
export type ToolCallPiece = z.infer<typeof toolCallPieceSchema>
