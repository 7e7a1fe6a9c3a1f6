import type { CompletionChunk } from './completion-chunk.ts'
import { filteredCategories } from './content-filter.ts'
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
  /** What the server's content filter objected to. */
  contentFilter: Set<string>
  usage: ModelAnswer['usage'] | undefined
  /** Characters of text and tool calls so far. */
  size: number
}

export function startAnswer(): AnswerAssembly {
  return {
    model: '',
    text: '',
    toolCalls: { calls: [] },
    finishReason: undefined,
    contentFilter: new Set(),
    usage: undefined,
    size: 0,
  }
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
  for (const piece of delta?.tool_calls ?? []) answer.size += addToolCallPiece(answer.toolCalls, piece)
  addVerdicts(answer, chunk, choice)
  const text = (delta?.content ?? '') + (delta?.refusal ?? '')
  answer.text += text
  answer.size += text.length
  return text
}

type Choice = NonNullable<CompletionChunk['choices']>[number]

/** How it ended. Azure's asynchronous filter judges text that was sent before, and has the last word. */
function addVerdicts(answer: AnswerAssembly, chunk: CompletionChunk, choice: Choice | undefined): void {
  const reason = choice?.finish_reason || undefined
  answer.finishReason = reason === 'content_filter' ? reason : (answer.finishReason ?? reason)
  for (const holder of [choice, ...(chunk.prompt_filter_results ?? [])]) {
    for (const category of filteredCategories(holder?.content_filter_results)) answer.contentFilter.add(category)
  }
}

/** The answer in our form. `newId` makes ids for calls that came without one. */
export function finishAnswer(answer: AnswerAssembly, request: ModelRequest, newId: () => string): ModelAnswer {
  const content = { text: answer.text, toolCalls: finishToolCalls(answer.toolCalls, newId) }
  return {
    model: answer.model || request.model,
    ...content,
    finishReason: toFinishReason(answer.finishReason, content.toolCalls.length > 0),
    contentFilter: answer.contentFilter.size > 0 ? [...answer.contentFilter] : undefined,
    usage: answer.usage ?? estimateUsage(request, content),
  }
}

function toFinishReason(reason: string | undefined, hasCalls: boolean): ModelAnswer['finishReason'] {
  // Ollama and others say "stop" after tool calls.
  if (reason === 'stop' || reason === 'tool_calls') return hasCalls ? 'tool_calls' : 'stop'
  // "max_tokens" comes from gateways to Anthropic and Gemini.
  if (reason === 'length' || reason === 'max_tokens') return 'length'
  return reason === 'content_filter' ? reason : 'other'
}
