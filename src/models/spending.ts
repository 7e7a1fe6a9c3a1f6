import { RetryableError, TerminalError } from '../domain/errors.ts'
import type { Tokens } from '../domain/errors.ts'
import type { AnswerAssembly } from './answer-assembly.ts'
import { estimateUsage } from './estimate-tokens.ts'
import type { ModelAnswer, ModelRequest } from './model.ts'

const BROKEN_OFF: ReadonlySet<string> = new Set(['model_stream_broken', 'model_timeout', 'model_answer_too_long'])

/**
 * What a failed attempt has cost. Servers bill for an answer that broke off, and for one that never came after a 200: by
 * their count where they sent one, else by ours. A refusal costs nothing, also in a stream, unless output came before it.
 */
export function costOfFailure(
  { code }: RetryableError | TerminalError,
  answer: AnswerAssembly,
  request: ModelRequest,
  streaming: boolean,
): Tokens | undefined {
  if (answer.usage) return answer.usage
  const refused = !BROKEN_OFF.has(code)
  if (!streaming || (refused && answer.size === 0)) return undefined
  return estimateUsage(request, { text: answer.text, toolCalls: answer.toolCalls.calls })
}

export function addTokens(one: Tokens | undefined, other: Tokens | undefined): Tokens | undefined {
  if (!one || !other) return one ?? other
  return {
    inputTokens: one.inputTokens + other.inputTokens,
    outputTokens: one.outputTokens + other.outputTokens,
  }
}

/** An answer with what the attempts before it have cost. */
export function withCost(answer: ModelAnswer, spent: Tokens | undefined): ModelAnswer {
  const sum = spent && addTokens(spent, answer.usage)
  return sum ? { ...answer, usage: { ...sum, estimated: true } } : answer
}

/** The last attempt's error with what all of them have cost; the signal's reason stays as it is. */
export function errorWithCost(error: unknown, spent: Tokens | undefined): unknown {
  if (!spent) return error
  if (error instanceof RetryableError) {
    return new RetryableError(error.code, error.message, { retryAfterMs: error.retryAfterMs, spent })
  }
  if (error instanceof TerminalError) {
    const { hint, contentFilter } = error
    return new TerminalError(error.code, error.message, { hint, contentFilter, spent })
  }
  return error
}
