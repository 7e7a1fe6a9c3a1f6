import type { EventDraft } from '../../domain/event.ts'

export interface Storable {
  /** The event as it will be read again. */
  event: EventDraft
  /** Its data as text for a jsonb column. */
  json: string
}

/** An escape of U+0000 or of half a surrogate pair, after an even number of backslashes. */
const UNSTORABLE = /(?<!\\)((?:\\\\)*)\\u(?:0000|d[89a-f][0-9a-f]{2})/gi

/**
 * jsonb refuses U+0000 and lone surrogates, which models and tools do write: one would fail the whole append, so each
 * becomes U+FFFD. Whoever goes on with the event must take this one, or a later fold of the journal differs.
 */
export function storable(event: EventDraft): Storable {
  const json = JSON.stringify(event.data)
  const clean = cleaned(json)
  return clean === json ? { event, json } : { event: { ...event, data: JSON.parse(clean) }, json: clean }
}

/** The same for any other value of a jsonb column. */
export function storableJson(value: unknown): string {
  return cleaned(JSON.stringify(value))
}

function cleaned(json: string): string {
  return json.includes('\\u') ? json.replace(UNSTORABLE, '$1\\ufffd') : json
}
