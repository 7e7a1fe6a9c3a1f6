import { z } from 'zod'

const textPart = z.object({ text: z.string().catch('') })

const content = z
  .union([z.string(), z.array(textPart).transform((parts) => parts.map((part) => part.text).join(''))])
  .nullish()
  .transform((text) => text ?? '')

const toolCall = z.object({
  id: z.string(),
  function: z.object({ name: z.string(), arguments: z.string() }),
})

/** A Chat Completions request, as far as the demo model reads it. */
export const chatRequestSchema = z.object({
  messages: z
    .array(
      z.object({
        role: z.string(),
        content,
        tool_calls: z.array(toolCall).nullish(),
        tool_call_id: z.string().nullish(),
      }),
    )
    .min(1),
  tools: z.array(z.object({ function: z.object({ name: z.string() }) })).default([]),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
})

export type ChatRequest = z.infer<typeof chatRequestSchema>
export type ChatMessage = ChatRequest['messages'][number]
