import type { CompletionChunk } from './completion-chunk.ts'
import { estimateUsage } from './estimate-tokens.ts'
import type { ModelAnswer, ModelRequest } from './model.ts'
import { addToolCallPiece, finishToolCalls } from './tool-call-assembly.ts'
import type { ToolCallAssembly } from './tool-call-assembly.ts'

/** An answer under assembly. It is whole once `finishReason` is there; usage may still follow. */
export interface AnswerAssembly {
  model: string
  text: string
  toolCalls: ToolCallAssembly
  finishReason: string | undefined
  usage: ModelAnswer['usage'] | undefined
}

export function startAnswer(): AnswerAssembly {
  return { model: '', text: '', toolCalls: { calls: [] }, finishReason: undefined, usage: undefined }
}

/** Adds a chunk and returns the text that it brought. A refusal is text too: it is all that such an answer has. */
export function addChunk(answer: AnswerAssembly, chunk: CompletionChunk): string {
  answer.model ||= chunk.model ?? ''
  // Some servers count in every chunk: the last one is the sum. Two zeros are no count.
  if (chunk.usage && chunk.usage.prompt_tokens + chunk.usage.completion_tokens > 0) {
    answer.usage = { inputTokens: chunk.usage.prompt_tokens, outputTokens: chunk.usage.completion_tokens }
  }
  const choice = chunk.choices?.find((candidate) => (candidate.index ?? 0) === 0)
  const delta = choice?.delta ?? choice?.message
  for (const piece of delta?.tool_calls ?? []) addToolCallPiece(answer.toolCalls, piece)
  answer.finishReason ??= choice?.finish_reason || undefined
  const text = (delta?.content ?? '') + (delta?.refusal ?? '')
  answer.text += text
  return text
}

/** The answer in our form. `newId` makes ids for calls that came without one. */
export function finishAnswer(answer: AnswerAssembly, request: ModelRequest, newId: () => string): ModelAnswer {
  const content = { text: answer.text, toolCalls: finishToolCalls(answer.toolCalls, newId) }
  return {
    model: answer.model || request.model,
    ...content,
    finishReason: toFinishReason(answer.finishReason, content.toolCalls.length > 0),
    usage: answer.usage ?? estimateUsage(request, content),
  }
}

function toFinishReason(reason: string | undefined, hasCalls: boolean): ModelAnswer['finishReason'] {
  // Ollama and others say "stop" after tool calls.
  if (reason === 'stop' || reason === 'tool_calls') return hasCalls ? 'tool_calls' : 'stop'
  return reason === 'length' || reason === 'content_filter' ? reason : 'other'
}
