import { pointer, Refusal } from '../missions/refusal.ts'
import type { ApiRequest } from './http.ts'

/** Of the contracts page: a body of 12 MiB, JSON 32 levels deep. */
const LARGEST_BODY = 12 * 1024 * 1024
const DEEPEST = 32

export interface JsonBody {
  value: unknown
  text: string
}

/**
 * Reads a JSON body in bounded memory. `whenEmpty` is the value of no body at all, where that is allowed.
 * @throws Refusal `too_large`, or `invalid_request` for what is no JSON, or nested too deep.
 */
export async function readJson(request: ApiRequest, options: { whenEmpty?: unknown } = {}): Promise<JsonBody> {
  const text = decode(await readBytes(request))
  if (text === '' && options.whenEmpty !== undefined) return { value: options.whenEmpty, text }
  if (depth(text) > DEEPEST) throw invalid(`The body is nested more than ${DEEPEST} levels deep.`)
  const value = parseJson(text)
  const forged = protoMember(value)
  if (forged !== undefined) {
    throw invalid('Nothing was done: see "errors" for what to change.', [
      { pointer: pointer(forged), detail: 'is not known here' },
    ])
  }
  return { value, text }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw invalid(
      text === '' ? 'The body is empty; send JSON.' : `The body is no valid JSON: ${(error as Error).message}.`,
    )
  }
}

/** Where a member is called `__proto__`. Schemas drop it without a word, which would record other data than were sent. */
function protoMember(value: unknown): string[] | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  for (const [key, member] of Object.entries(value)) {
    const below = key === '__proto__' ? [] : protoMember(member)
    if (below !== undefined) return [key, ...below]
  }
  return undefined
}

async function readBytes(request: ApiRequest): Promise<Buffer> {
  if (Number(request.headers.get('content-length') ?? 0) > LARGEST_BODY) throw tooLarge()
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request.body ?? []) {
    size += chunk.length
    if (size > LARGEST_BODY) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw invalid('The body is not UTF-8.')
  }
}

/** How deep brackets nest, before any parser recurses into them. */
function depth(text: string): number {
  let level = 0
  let deepest = 0
  let inString = false
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (inString) {
      if (code === 0x5c) i++
      else if (code === 0x22) inString = false
    } else if (code === 0x22) inString = true
    else if (code === 0x7b || code === 0x5b) deepest = Math.max(deepest, ++level)
    else if (code === 0x7d || code === 0x5d) level--
  }
  return deepest
}

function invalid(detail: string, errors: { pointer: string; detail: string }[] = []): Refusal {
  return new Refusal('invalid_request', detail, errors)
}

function tooLarge(): Refusal {
  return new Refusal('too_large', `The body is larger than ${LARGEST_BODY / 1024 / 1024} MiB.`)
}
