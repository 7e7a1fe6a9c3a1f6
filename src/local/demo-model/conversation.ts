import type { ChatMessage, ChatRequest } from './chat-request.ts'

/** A tool call that came back. */
export interface Outcome {
  name: string
  failed: boolean
  /** The result without the engine's marking line, or the reason of the failure. */
  text: string
}

/** What the scripts see of a request. */
export interface Conversation {
  /** What the user wrote since the last final answer, newest first: one of these is the goal. */
  asked: string[]
  offered: Set<string>
  /** In the order of the calls. */
  outcomes: Outcome[]
}

/** Derives everything from the messages: the demo model remembers nothing between requests. */
export function readConversation(request: ChatRequest): Conversation {
  const open = request.messages.slice(lastFinalAnswer(request.messages) + 1)
  return {
    asked: open
      .filter((message) => message.role === 'user')
      .map((message) => message.content.trim())
      .toReversed(),
    offered: new Set(request.tools.map((tool) => tool.function.name)),
    outcomes: readOutcomes(open),
  }
}

export function outcomesOf(conversation: Conversation, name: string): Outcome[] {
  return conversation.outcomes.filter((outcome) => outcome.name === name)
}

function lastFinalAnswer(messages: ChatMessage[]): number {
  return messages.findLastIndex(({ role, tool_calls: calls }) => role === 'assistant' && !calls?.length)
}

function readOutcomes(messages: ChatMessage[]): Outcome[] {
  const results = new Map(messages.map((message) => [message.tool_call_id, message.content]))
  return messages
    .flatMap((message) => message.tool_calls ?? [])
    .flatMap((call) => {
      const content = results.get(call.id)
      return content === undefined ? [] : [readOutcome(call.function.name, content)]
    })
}

function readOutcome(name: string, content: string): Outcome {
  const text = content.replace(/^\[tool (?:result|error): [^\n]*\n/, '')
  return { name, failed: content.startsWith('[tool error: '), text }
}
