/** One message of a conversation, in the order in which the model sees it. */
export type ModelMessage =
  | { role: 'system' | 'user'; content: string }
  | { role: 'assistant'; content: string; toolCalls: ToolCallRequest[] }
  | { role: 'tool'; callId: string; content: string }

/** A tool call as the model wrote it; `arguments` is its raw text and may be no valid JSON. */
export interface ToolCallRequest {
  id: string
  name: string
  arguments: string
}

/** What a model is told about a tool; `parameters` is a JSON Schema (2020-12) of an object. */
export interface ToolDescription {
  name: string
  description: string
  parameters: Record<string, unknown>
}

export interface ModelRequest {
  model: string
  messages: ModelMessage[]
  tools: ToolDescription[]
  temperature?: number
  /** Most tokens that the answer may have. */
  maxOutputTokens?: number
}

export interface ModelAnswer {
  /** The model's name as the server gave it. */
  model: string
  text: string
  toolCalls: ToolCallRequest[]
  finishReason: 'stop' | 'tool_calls' | 'length' | 'content_filter' | 'other'
  /** What a content filter objected to where it stopped the answer, such as "violence (high)". */
  contentFilter?: string[]
  /**
   * `estimated` where the server sent no usage (fault F44): four characters count as one token. Includes an estimate for
   * attempts at this answer that broke off and are billed all the same.
   */
  usage: { inputTokens: number; outputTokens: number; estimated?: boolean }
}

export interface ModelCallOptions {
  signal: AbortSignal
  /** Called with each piece of text as it arrives. */
  onText?: (piece: string) => void
  /** An attempt is repeated: what was passed before counts no more. */
  onRestart?: () => void
}

/**
 * A language model. Throws RetryableError for what may pass (429, 5xx, timeouts, broken streams; after its own few quick
 * retries) and TerminalError for what won't (bad key, unknown model, context too long), never anything else, except the
 * signal's reason when it was aborted.
 */
export interface Model {
  complete(request: ModelRequest, options: ModelCallOptions): Promise<ModelAnswer>
}
