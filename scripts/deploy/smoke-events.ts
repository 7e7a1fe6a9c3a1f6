import { EventSourceParserStream } from 'eventsource-parser/stream'
import { failed, headersOf, type SmokeOptions } from './smoke-request.ts'

const STREAM_MS = 60_000

/** Reads two events of a mission that ended, lets go, and takes the rest up after the second, as a client does that lost its line. */
export async function readSomeEvents(options: SmokeOptions, mission: { id: string; lastSeq: number }): Promise<void> {
  const first = await read(options, mission.id, undefined, 2)
  const rest = await read(options, mission.id, first.at(-1), Infinity)
  const seen = [...first, ...rest]
  const expected = Array.from({ length: mission.lastSeq }, (_, index) => index + 1)
  if (seen.join() === expected.join()) return
  throw failed(`events ${seen.join(', ')} of ${mission.lastSeq} came over a stream that was taken up in the middle`)
}

/** Numbers of the events until `most` are there or the stream ends. */
async function read(
  { url, apiKey }: SmokeOptions,
  id: string,
  after: number | undefined,
  most: number,
): Promise<number[]> {
  const stop = new AbortController()
  const response = await fetch(new URL(`/api/v1/missions/${id}/events`, url), {
    headers: {
      ...headersOf(apiKey),
      accept: 'text/event-stream',
      ...(after === undefined ? {} : { 'last-event-id': String(after) }),
    },
    signal: AbortSignal.any([stop.signal, AbortSignal.timeout(STREAM_MS)]),
  })
  // Nothing comes after what was read already.
  if (response.status === 204) return []
  if (!response.ok || response.body === null) throw failed(`the events of ${id} are answered with ${response.status}`)
  const decoder = new TextDecoderStream() as unknown as ReadableWritablePair<string, Uint8Array>
  const numbers: number[] = []
  try {
    for await (const { id: seq } of response.body.pipeThrough(decoder).pipeThrough(new EventSourceParserStream())) {
      if (seq !== undefined) numbers.push(Number(seq))
      if (numbers.length >= most) break
    }
  } finally {
    stop.abort()
  }
  return numbers
}
