import { RetryableError, TerminalError } from '../domain/errors.ts'
import type { EventDraft, ToolCall } from '../domain/event.ts'
import { addUsd, tokensUsd } from '../domain/money.ts'
import type { EffectiveProfile } from '../domain/profile.ts'
import type { MissionState } from '../domain/state.ts'
import { transcript } from '../domain/transcript.ts'
import type { ModelAnswer, ModelRequest } from '../models/model.ts'
import type { EngineContext } from './context.ts'

/** Asks the model for the next turn. Gives what to record; throws only when the signal was aborted. */
export async function callModel(
  context: EngineContext,
  state: MissionState,
  profile: EffectiveProfile,
  signal: AbortSignal,
): Promise<EventDraft> {
  const request = requestFor(context, state, profile)
  const begun = context.clock.monotonic()
  const since = () => Math.round(context.clock.monotonic() - begun)
  try {
    const answer = await context.model.complete(request, { signal })
    if (answer.text === '' && answer.toolCalls.length === 0) {
      if (answer.finishReason === 'content_filter') throw filtered()
      throw new RetryableError('model_empty_answer', 'The model gave neither a text nor a tool call')
    }
    return answered(answer, request.model, profile, since())
  } catch (error) {
    signal.throwIfAborted()
    return failed(error, request.model, since())
  }
}

function filtered(): TerminalError {
  return new TerminalError('model_content_filter', "The model's content filter let no answer through.", {
    hint: 'Reword the goal, or look at the files and results that it led to.',
  })
}

function requestFor(context: EngineContext, state: MissionState, profile: EffectiveProfile): ModelRequest {
  const { name = context.defaultModel, temperature, maxOutputTokens } = profile.model
  return {
    model: name,
    messages: transcript(state, profile),
    tools: profile.tools.map(({ name: tool, description, parameters }) => ({ name: tool, description, parameters })),
    temperature,
    maxOutputTokens,
  }
}

function answered(answer: ModelAnswer, asked: string, profile: EffectiveProfile, durationMs: number): EventDraft {
  const { model, text, finishReason } = answer
  const usage = { ...answer.usage, costUsd: cost(answer, asked, profile) }
  const toolCalls = distinct(answer.toolCalls)
  return { type: 'model.answered', data: { model, text, toolCalls, finishReason, usage, durationMs } }
}

/**
 * By the name that the server gave, or else the one that was asked for: OpenAI answers with a dated name. Zero for a model
 * that the profile gives no price for.
 */
function cost({ model, usage }: ModelAnswer, asked: string, profile: EffectiveProfile): string {
  const price = profile.prices[model] ?? profile.prices[asked]
  if (price === undefined) return '0'
  return addUsd(tokensUsd(usage.inputTokens, price.inputUsd), tokensUsd(usage.outputTokens, price.outputUsd))
}

/** Some servers give no ids, or one id twice; results could not be told apart then (fault F39). */
function distinct(calls: readonly ToolCall[]): ToolCall[] {
  const seen = new Set<string>()
  return calls.map((call, index) => {
    const id = call.id === '' || seen.has(call.id) ? `${call.id === '' ? 'call' : call.id}_${index}` : call.id
    seen.add(id)
    return { ...call, id }
  })
}

function failed(error: unknown, model: string, durationMs: number): EventDraft {
  if (error instanceof RetryableError) {
    const { code, message, retryAfterMs } = error
    return { type: 'model.failed', data: { model, error: { code, message }, retry: true, retryAfterMs, durationMs } }
  }
  if (error instanceof TerminalError) {
    const { code, message, hint } = error
    return { type: 'model.failed', data: { model, error: { code, message, hint }, retry: false, durationMs } }
  }
  throw error
}
