import type { Conversation } from './conversation.ts'

/** What the demo model does next: says something, calls tools, or both. No calls: it is done. */
export interface Reply {
  text: string
  calls: { name: string; arguments: Record<string, unknown> }[]
}

/** A sentence that the demo model recognises, and the script behind it. */
export interface Goal {
  /** The sentence as a person would write it. */
  example: string
  pattern: RegExp
  /** Tools without which the script can do nothing. */
  needs: string[]
  /** Derives the next turn from what has happened; `match` is the pattern's on the goal. */
  reply(conversation: Conversation, match: RegExpExecArray): Reply
}

/** The line under each final answer. */
export const SIGNATURE = '(Scripted answer of the demo model: set OPENAI_API_KEY for a real one.)'

/** A final answer, signed as scripted. */
export function say(text: string): Reply {
  return { text: `${text}\n\n${SIGNATURE}`, calls: [] }
}

/** A turn that calls tools and says why. */
export function call(text: string, ...calls: Reply['calls']): Reply {
  return { text, calls }
}
