import type { ModelAnswer, ModelRequest, ToolCallRequest } from './model.ts'

const CHARACTERS_PER_TOKEN = 4

/** Usage for an answer whose server sent none (fault F44): four characters count as one token, tool schemas included. */
export function estimateUsage(
  request: ModelRequest,
  answer: { text: string; toolCalls: ToolCallRequest[] },
): ModelAnswer['usage'] {
  const input = JSON.stringify(request.tools).length + JSON.stringify(request.messages).length
  const output = answer.text.length + answer.toolCalls.reduce((sum, call) => sum + callLength(call), 0)
  return { inputTokens: toTokens(input), outputTokens: toTokens(output), estimated: true }
}

function callLength(call: ToolCallRequest): number {
  return call.name.length + call.arguments.length
}

function toTokens(characters: number): number {
  return Math.ceil(characters / CHARACTERS_PER_TOKEN)
}
