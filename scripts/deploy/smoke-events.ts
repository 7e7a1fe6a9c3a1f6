import { EventSourceParserStream } from 'eventsource-parser/stream'
import { TerminalError } from '../../src/domain/errors.ts'
import { patiently, type Attempt } from './patiently.ts'
import { smokeFailed } from './smoke-failed.ts'
import { headersOf, lostWords, passing, retryAfterOf, type SmokeOptions } from './smoke-request.ts'

const STREAM_MS = 60_000

/** Reads two events of a mission that ended, lets go, and takes the rest up after the second, as a client does that lost its line. */
export async function readSomeEvents(options: SmokeOptions, mission: { id: string; lastSeq: number }): Promise<void> {
  const seen: number[] = []
  for (const most of [2, Infinity]) await patiently(options, () => readOn(options, mission, { seen, most }))
  const expected = Array.from({ length: mission.lastSeq }, (_, index) => index + 1)
  if (seen.join() === expected.join()) return
  throw smokeFailed(
    `events ${seen.join(', ')} of ${mission.lastSeq} came over a stream that was taken up in the middle`,
  )
}

interface Reading {
  /** Numbers of the events that came, to which more are added. */
  seen: number[]
  most: number
}

/** Adds the events after the last one that was seen, until `most` are there or the stream ends. */
async function readOn(
  { url, apiKey }: SmokeOptions,
  { id, lastSeq }: { id: string; lastSeq: number },
  { seen, most }: Reading,
): Promise<Attempt<undefined>> {
  const stop = new AbortController()
  const path = `/api/v1/missions/${id}/events`
  const last = seen.at(-1)
  const headers = { ...headersOf(apiKey), accept: 'text/event-stream' }
  try {
    const response = await fetch(new URL(path, url), {
      headers: last === undefined ? headers : { ...headers, 'last-event-id': String(last) },
      signal: AbortSignal.any([stop.signal, AbortSignal.timeout(STREAM_MS)]),
    })
    // Nothing comes after what was read already.
    if (response.status === 204) return { value: undefined }
    const refused = passing({ status: response.status, body: '', retryAfterMs: retryAfterOf(response) }, path)
    if (refused !== undefined) return refused
    if (!response.ok || response.body === null)
      throw smokeFailed(`the events of ${id} are answered with ${response.status}`)
    for await (const seq of numbersOf(response.body)) {
      seen.push(seq)
      if (seen.length >= most) break
    }
    return { value: undefined }
  } catch (error) {
    if (error instanceof TerminalError) throw error
    return { notYet: isTimeout(error) ? lateWords(id, seen, lastSeq) : lostWords(url, path, error) }
  } finally {
    stop.abort()
  }
}

async function* numbersOf(body: ReadableStream<Uint8Array>): AsyncGenerator<number> {
  const decoder = new TextDecoderStream() as unknown as ReadableWritablePair<string, Uint8Array>
  for await (const { id } of body.pipeThrough(decoder).pipeThrough(new EventSourceParserStream()))
    if (id !== undefined) yield Number(id)
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === 'TimeoutError'
}

function lateWords(id: string, seen: readonly number[], lastSeq: number): string {
  return `the stream of events of the mission ${id} did not end within ${STREAM_MS / 1000} s; ${seen.length} of ${lastSeq} came`
}
