import { TerminalError } from '../../domain/errors.ts'
import { shortTitle } from '../sources.ts'
import type { Source } from '../tool.ts'

export type Document = Record<string, unknown>

/** The service hands keys out as text of any field name, and only an administrator may read which field is the key. */
const KEY_NAMES = ['id', 'key', 'chunk_id', 'document_id', 'doc_id', 'azuresearch_documentkey', 'uid']
const TITLE_NAMES = [
  'title',
  'name',
  'heading',
  'subject',
  'metadata_title',
  'filename',
  'file_name',
  'metadata_storage_name',
]
const URL_NAMES = [
  'url',
  'uri',
  'link',
  'source_url',
  'document_url',
  'web_url',
  'source',
  'path',
  'metadata_storage_path',
]
const TEXT_NAMES = [
  'content',
  'chunk',
  'text',
  'body',
  'page_content',
  'merged_content',
  'merged_text',
  'description',
  'summary',
]
/** Letters, digits, _, - and = is what keys are made of, unless an index was told to allow more. */
const KEY_FORM = /^[\w=-]+$/
/** The shortest embeddings in use have 64 numbers; a field with a list of years has fewer than this. */
const VECTOR_LENGTH = 33

/** A document as plain JSON, without vectors and without what the service adds (`@search.score` and so on). */
export function plainDocument(document: object, vectorFields: readonly string[]): Document {
  const plain = JSON.parse(JSON.stringify(document)) as Document
  const kept = Object.entries(plain).filter(([name]) => !name.startsWith('@') && !vectorFields.includes(name))
  return withoutVectors(Object.fromEntries(kept)) as Document
}

function withoutVectors(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutVectors)
  if (typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value).filter(([, field]) => !isVector(field))
  return Object.fromEntries(kept.map(([name, field]) => [name, withoutVectors(field)]))
}

function isVector(value: unknown): boolean {
  return Array.isArray(value) && value.length >= VECTOR_LENGTH && value.every((item) => typeof item === 'number')
}

/**
 * The field that is the index's key: the configured one, or a guess. TerminalError `search_misconfigured` where the
 * documents have no text in the configured one, as a key always is text and is always handed out.
 */
export function keyField(documents: readonly Document[], configured: string | undefined): string | undefined {
  if (configured === undefined) return guessKeyField(documents)
  if (documents.every((document) => typeof document[configured] === 'string')) return configured
  const message = `AZURE_SEARCH_KEY_FIELD is "${configured}", which is not the key of the index: documents have no such text.`
  throw new TerminalError('search_misconfigured', message, {
    hint: "The operator has to set it to the name of the index's key field. Go on without the documents.",
  })
}

/**
 * As far as the documents tell: text that all of them have and no two share; by name first, then whatever looks like a
 * key, then the first one. One result alone can mislead it, as any of its fields is unlike all others then.
 */
function guessKeyField(documents: readonly Document[]): string | undefined {
  const [first = {}] = documents
  const unique = Object.keys(first).filter((name) => {
    const values = documents.map((document) => document[name])
    return values.every((value) => typeof value === 'string' && value !== '') && new Set(values).size === values.length
  })
  return (
    named(unique, KEY_NAMES) ??
    unique.find((name) => /(?:_id|Id|ID)$/.test(name) && !/^parent/i.test(name)) ??
    unique.find((name) => documents.every((document) => KEY_FORM.test(document[name] as string))) ??
    unique[0]
  )
}

/** Which fields hold what a reader looks for first. */
export interface Roles {
  title: string | undefined
  url: string | undefined
  text: string | undefined
}

/** By name; the text is else the longest one. Only an http or https URL counts as one. */
export function rolesOf(document: Document, key: string | undefined): Roles {
  const names = Object.keys(document).filter((name) => name !== key && typeof document[name] === 'string')
  const url = named(
    names.filter((name) => isWebUrl(document[name] as string)),
    URL_NAMES,
  )
  const title = named(
    names.filter((name) => document[name] !== ''),
    TITLE_NAMES,
  )
  const others = names.filter((name) => name !== url && name !== title)
  const length = (name: string) => (document[name] as string).length
  const text = named(others, TEXT_NAMES) ?? others.toSorted((a, b) => length(b) - length(a))[0]
  return { title, url, text }
}

/** The document as an answer can cite it. */
export function sourceOf(id: string, document: Document, { title, url }: Roles): Source {
  const name = textOf(document, title)
  return { id, title: name === undefined ? undefined : shortTitle(name), url: textOf(document, url) }
}

export function textOf(document: Document, name: string | undefined): string | undefined {
  const value = name === undefined ? undefined : document[name]
  return typeof value === 'string' ? value : undefined
}

function named(names: readonly string[], wanted: readonly string[]): string | undefined {
  for (const name of wanted) {
    const found = names.find((candidate) => candidate.toLowerCase() === name)
    if (found !== undefined) return found
  }
  return undefined
}

function isWebUrl(text: string): boolean {
  return /^https?:$/.test(URL.parse(text)?.protocol ?? '')
}
