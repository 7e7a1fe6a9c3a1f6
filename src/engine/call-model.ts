import { RetryableError, TerminalError, type Tokens } from '../domain/errors.ts'
import type { EventDraft, ToolCall } from '../domain/event.ts'
import { addUsd, tokensUsd } from '../domain/money.ts'
import { priceOf, type EffectiveProfile } from '../domain/profile.ts'
import type { MissionState } from '../domain/state.ts'
import { transcript } from '../domain/transcript.ts'
import type { ModelAnswer, ModelRequest } from '../models/model.ts'
import type { EngineContext } from './context.ts'
import type { Audience } from './deltas.ts'

/**
 * Asks the model for the next turn. Gives what to record; throws only when the signal was aborted.
 * @param audience who may read along while the answer is being written
 */
export async function callModel(
  context: EngineContext,
  state: MissionState,
  profile: EffectiveProfile,
  signal: AbortSignal,
  audience?: Audience,
): Promise<EventDraft> {
  const request = requestFor(context, state, profile)
  const begun = context.clock.monotonic()
  const since = () => Math.round(context.clock.monotonic() - begun)
  const preview = audience && context.deltas?.open(audience, state.seq)
  try {
    const answer = await context.model.complete(request, { signal, ...preview })
    return answered(answer, { model: request.model, seenSeq: state.seq }, profile, since())
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof RetryableError || error instanceof TerminalError)) throw error
    return failed(error, request.model, profile, since())
  } finally {
    preview?.close()
  }
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

interface Asked {
  model: string
  /** Number of the last event that the model was told of. */
  seenSeq: number
}

function answered(answer: ModelAnswer, asked: Asked, profile: EffectiveProfile, durationMs: number): EventDraft {
  const { model, text, finishReason, contentFilter } = answer
  const usage = { ...answer.usage, ...cost(answer.usage, priceOf(profile.prices, model, asked.model)) }
  const toolCalls = distinct(answer.toolCalls)
  return {
    type: 'model.answered',
    data: { model, text, toolCalls, finishReason, contentFilter, usage, durationMs, seenSeq: asked.seenSeq },
  }
}

/** Zero for a model that the profile gives no price for, and marked so: the limit of costs can't see it. */
function cost(tokens: Tokens, price: EffectiveProfile['prices'][string] | undefined) {
  if (price === undefined) return { costUsd: '0', unpriced: true }
  return {
    costUsd: addUsd(tokensUsd(tokens.inputTokens, price.inputUsd), tokensUsd(tokens.outputTokens, price.outputUsd)),
  }
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

function failed(
  error: RetryableError | TerminalError,
  model: string,
  profile: EffectiveProfile,
  durationMs: number,
): EventDraft {
  const { code, message, spent } = error
  const usage = spent && { ...spent, ...cost(spent, priceOf(profile.prices, model, model)), estimated: true }
  const data = { model, durationMs, usage }
  if (error instanceof RetryableError) {
    const { retryAfterMs } = error
    return { type: 'model.failed', data: { ...data, error: { code, message }, retry: true, retryAfterMs } }
  }
  const { hint } = error
  const contentFilter = error.contentFilter && [...error.contentFilter]
  return { type: 'model.failed', data: { ...data, error: { code, message, hint }, retry: false, contentFilter } }
}
