import type { Failure, MissionEvent } from './event.ts'
import type { MissionState, Stumble } from './state.ts'

/**
 * Answers in a row that may lead nowhere before the mission fails. Small local models need three or four attempts at a tool's
 * arguments; one that has not found them by the fifth goes on for ever, and each attempt is paid for.
 */
export const MOST_STUMBLES = 5

/** Refusals of a call that the model itself must mend. */
const REFUSALS: ReadonlySet<string> = new Set(['unknown_tool', 'bad_arguments', 'cut_short'])

type Answer = Extract<MissionEvent, { type: 'model.answered' }>['data']

/** What is wrong with an answer as such; undefined for a final one. */
export function stumbleOf({ text = '', toolCalls, finishReason, contentFilter }: Answer): Stumble | undefined {
  if (toolCalls.length > 0) return { why: 'bad_calls' }
  if (finishReason === 'content_filter') return { why: 'content_filter', contentFilter }
  if (finishReason === 'length') return { why: 'cut_short' }
  return text.trim() === '' ? { why: 'empty' } : undefined
}

/** Whether a failed call was refused before it began, which is no progress. */
export function isRefusal(code: string): boolean {
  return REFUSALS.has(code)
}

/** A call was taken up: the model is on its way again. */
export function onward(state: MissionState): MissionState {
  return state.stumbles === 0 ? state : { ...state, stumbles: 0, stumble: undefined }
}

/** What the model is told after an answer that can't be used. */
export function adviceAfter({ why, contentFilter }: Stumble): string {
  if (why === 'cut_short') {
    return 'Your last answer was cut off at its length limit. Give it again, whole and shorter; put what is long into files.'
  }
  if (why === 'content_filter') {
    return `Your last answer was stopped by the content filter${named(contentFilter)}. Answer in other words, without that.`
  }
  return 'Your last answer was empty. Call a tool, or give your final answer as text.'
}

/** Why a mission ends whose model stumbled too often. */
export function gaveUp({ why, contentFilter }: Stumble): Failure {
  const { code, what, hint } = endings[why]
  return { code, message: `${what} ${MOST_STUMBLES} times in a row${named(contentFilter)}.`, hint }
}

const endings: Record<Stumble['why'], { code: string; what: string; hint: string }> = {
  empty: {
    code: 'model_empty_answer',
    what: 'The model gave neither a text nor a tool call',
    hint: "Use another model, or raise the profile's model.maxOutputTokens: thinking may use them up.",
  },
  cut_short: {
    code: 'model_cut_short',
    what: "The model's answer was cut off at its length limit",
    hint: "Raise the profile's model.maxOutputTokens, or ask for less in one mission.",
  },
  content_filter: {
    code: 'model_content_filter',
    what: "The content filter stopped the model's answer",
    hint: 'Reword the goal, or look at the files and results that it led to.',
  },
  bad_calls: {
    code: 'model_bad_calls',
    what: "The model called tools that are not there, or with arguments that don't fit,",
    hint: 'Use a model that is better at calling tools, or say in the instructions which tools to use how.',
  },
}

function named(contentFilter: string[] | undefined): string {
  return contentFilter === undefined || contentFilter.length === 0 ? '' : ` (${contentFilter.join(', ')})`
}
