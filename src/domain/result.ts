import type { FileRef, Result, Source } from './event.ts'
import type { MissionState } from './state.ts'

/** The final answer with the files that the mission wrote and the sources that the answer names. */
export function resultOf(state: MissionState, text: string): Result {
  const files = filesOf(state)
  const citations = citationsIn(text, state.sources)
  return { text, ...(citations.length === 0 ? {} : { citations }), ...(files.length === 0 ? {} : { files }) }
}

/** What a mission has when something ends it before its answer: the latest text of the model, and the files. */
export function resultSoFar(state: MissionState): { result?: Result } {
  const result = resultOf(state, state.lastText)
  return result.text === '' && result.files === undefined ? {} : { result }
}

/** Not those that it was given. */
function filesOf(state: MissionState): FileRef[] {
  return state.files.filter(
    ({ name, sha256 }) => !state.inputs.some((input) => input.name === name && input.sha256 === sha256),
  )
}

function citationsIn(text: string, sources: readonly Source[]): Source[] {
  return sources.filter(({ id, url }) => namesId(text, id) || (url !== undefined && namesUrl(text, url)))
}

/** An id alone may be a word like any other, so it counts in square brackets only, which is how tools ask for it. */
function namesId(text: string, id: string): boolean {
  // `rows[1]` is code.
  return placesOf(text, `[${id}]`).some((at) => !/\w/.test(text.charAt(at - 1)))
}

/** Whether the text holds this URL, and not only one that begins like it; a fragment leads to the same page. */
function namesUrl(text: string, url: string): boolean {
  // Marks at its end belong to the sentence, unless more of a URL follows.
  const end = /(?:#|[.,;:!?'*_~]*(?![\w\-.~:/?#@!$&'(*+,;=%]))/y
  return placesOf(text, url).some((at) => {
    end.lastIndex = at + url.length
    return end.test(text)
  })
}

function placesOf(text: string, part: string): number[] {
  if (part === '') return []
  const places: number[] = []
  for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + 1)) places.push(at)
  return places
}
