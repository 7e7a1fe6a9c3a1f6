import type { OpenAI } from 'openai'
import type { ModelMessage, ModelRequest, ToolCallRequest, ToolDescription } from './model.ts'
import type { Dialect } from './openai-dialect.ts'

/** The body of a streamed Chat Completions request, in the server's dialect. */
export function toChatRequest(
  request: ModelRequest,
  dialect: Dialect,
): OpenAI.Chat.ChatCompletionCreateParamsStreaming {
  const { temperature, maxOutputTokens } = request
  return {
    model: request.model,
    messages: request.messages.map(toChatMessage),
    stream: true,
    // Servers refuse an empty list of tools.
    ...(request.tools.length > 0 && { tools: request.tools.map(toChatTool) }),
    ...(dialect.streamOptions && { stream_options: { include_usage: true } }),
    ...(dialect.temperature && temperature !== undefined && { temperature }),
    ...(maxOutputTokens !== undefined && { [dialect.maxTokensFields[0]]: maxOutputTokens }),
  }
}

function toChatMessage(message: ModelMessage): OpenAI.Chat.ChatCompletionMessageParam {
  if (message.role === 'tool') return { role: 'tool', tool_call_id: message.callId, content: message.content }
  if (message.role !== 'assistant') return { role: message.role, content: message.content }
  if (message.toolCalls.length === 0) return { role: 'assistant', content: message.content }
  return { role: 'assistant', content: message.content || null, tool_calls: message.toolCalls.map(toChatCall) }
}

function toChatCall(call: ToolCallRequest): OpenAI.Chat.ChatCompletionMessageToolCall {
  return { id: call.id, type: 'function', function: { name: call.name, arguments: toObjectText(call.arguments) } }
}

/**
 * Ollama and vLLM refuse a whole conversation for one past call whose arguments are no JSON object (fault F38), so a
 * model's slip would end the mission. The broken text goes inside an object, where the model can still see its mistake.
 */
function toObjectText(text: string): string {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return text
  } catch {
    // Falls through to the wrapping below.
  }
  return JSON.stringify({ invalid_arguments: text })
}

function toChatTool(tool: ToolDescription): OpenAI.Chat.ChatCompletionTool {
  return { type: 'function', function: { name: tool.name, description: tool.description, parameters: tool.parameters } }
}
