import type { SearchConfig } from '../../config/config.ts'
import type { Source } from '../tool.ts'
import { keyField, plainDocument, rolesOf, sourceOf, textOf, type Document } from './document.ts'

/** What the service found, best first. */
export interface Found {
  document: object
  score: number
  /** The passage that semantic ranking thinks answers best. */
  caption: string | undefined
}

const EXCERPT_CHARS = 1500
const FIELD_CHARS = 300
/** JSON of all the fields of one result that have no role of their own. */
const FIELDS_CHARS = 3000
/** Below the tool's output limit, so that what the model reads is whole JSON. */
const RESULTS_BYTES = 60_000

/**
 * Results as JSON of at most some 60 kB with their sources: each has an id, a score, an excerpt and its short fields. What
 * was cut or left out is said in `note`.
 */
export function renderResults(
  found: readonly Found[],
  total: number | undefined,
  config: Pick<SearchConfig, 'vectorFields' | 'keyField'>,
): { text: string; sources: Source[] } {
  const documents = found.map(({ document }) => plainDocument(document, config.vectorFields))
  const key = keyField(documents, config.keyField)
  const results: object[] = []
  const sources: Source[] = []
  let bytes = 0
  for (const [index, document] of documents.entries()) {
    const roles = rolesOf(document, key)
    const id = textOf(document, key)
    const result = describe(document, found[index] as Found, { id: key, ...roles })
    bytes += Buffer.byteLength(JSON.stringify(result))
    if (bytes > RESULTS_BYTES && results.length > 0) break
    results.push(result)
    if (id !== undefined) sources.push(sourceOf(id, document, roles))
  }
  const note = noteOn(results, found.length)
  return { text: JSON.stringify({ total, results, note }), sources }
}

type Names = Record<'id' | 'title' | 'url' | 'text', string | undefined>

function describe(document: Document, { score, caption }: Found, names: Names): object {
  const { fields, leftOut } = shortFields(document, Object.values(names))
  return {
    id: textOf(document, names.id),
    score: Number(score.toPrecision(4)),
    title: shorten(textOf(document, names.title), FIELD_CHARS),
    url: textOf(document, names.url)?.slice(0, 2048),
    caption: shorten(caption, EXCERPT_CHARS),
    excerpt: shorten(textOf(document, names.text), EXCERPT_CHARS),
    fields: Object.keys(fields).length > 0 ? fields : undefined,
    leftOut: leftOut.length > 0 ? leftOut : undefined,
  }
}

function shortFields(document: Document, taken: (string | undefined)[]): { fields: Document; leftOut: string[] } {
  const fields: Document = {}
  const leftOut: string[] = []
  let chars = 0
  for (const [name, value] of Object.entries(document)) {
    if (taken.includes(name) || value === null || value === '') continue
    const short = shortenAll(value)
    chars += name.length + JSON.stringify(short).length
    if (chars <= FIELDS_CHARS) fields[name] = short
    else leftOut.push(name)
  }
  return { fields, leftOut: leftOut.slice(0, 50) }
}

function shortenAll(value: unknown): unknown {
  if (typeof value === 'string') return shorten(value, FIELD_CHARS)
  if (Array.isArray(value)) return value.map(shortenAll)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, shortenAll(field)]))
}

function shorten<T extends string | undefined>(text: T, chars: number): T | string {
  return text === undefined || text.length <= chars ? text : `${text.slice(0, chars).toWellFormed()}…`
}

function noteOn(results: object[], found: number): string | undefined {
  if (found === 0) return 'Nothing was found. Try other or fewer words, or no filter.'
  const missing = found - results.length
  const more = missing > 0 ? `${missing} more did not fit; ask for fewer at a time. ` : ''
  const cut = /…"|"leftOut":/.test(JSON.stringify(results))
  const whole = cut ? 'Texts that end in … are cut and leftOut names fields; get_document reads a document whole.' : ''
  return more + whole || undefined
}
