import { setTimeout as sleep } from 'node:timers/promises'
import type { EventSourceMessage } from 'eventsource-parser'
import { EventSourceParserStream } from 'eventsource-parser/stream'
import { send, type Api } from './api.ts'
import { deltaSchema, type Delta } from './draft.ts'
import { CommandError, mayPass, ProblemError, UnreachableError } from './errors.ts'
import { endsJournal, eventSchema, type JournalEvent } from './schemas.ts'

/** The API says `: ping` every 15 s (protocols page, SSE), so three times that without a byte is a dead connection. */
const SILENCE_MS = 50_000
const FIRST_WAIT_MS = 250
const LONGEST_WAIT_MS = 10_000
/** Long enough for a deployment or a restart; a command that nobody watches must end some day. */
const GIVE_UP_MS = 10 * 60_000

/** An event as it came, for `--json`, and as it was understood. */
export interface Followed {
  raw: unknown
  event: JournalEvent
}

export interface FollowOptions {
  signal: AbortSignal
  /** Told that the connection was lost, and that it is back. */
  onConnection: (change: { lost: string } | 'back') => void
  /** Told the server's time whenever a connection is made, in milliseconds since 1970. */
  onServerTime?: (at: number) => void
  /** Told pieces of answers that are still being written; they are asked for only where this is given. */
  onDelta?: (delta: Delta) => void
}

interface Position {
  seq: number
  /** When the connection last gave anything, in milliseconds since 1970. */
  aliveAt: number
  failures: number
  /** What the server asked for in `retry:`, in milliseconds. */
  retryMs: number
  /** Whether answers are asked for as they are written. */
  deltas: boolean
}

/**
 * Every event of a mission's journal once and in order, as they happen, until the journal ends or the signal aborts.
 * Lost connections are taken up again after the last event (`Last-Event-ID`), with growing waits up to 10 s.
 * @throws ProblemError when the API refuses for good, CommandError after ten minutes without it
 */
export async function* followEvents(api: Api, id: string, options: FollowOptions): AsyncGenerator<Followed> {
  const deltas = options.onDelta !== undefined
  const position: Position = { seq: 0, aliveAt: Date.now(), failures: 0, retryMs: 0, deltas }
  while (!options.signal.aborted) {
    let wait = Math.min(position.retryMs, LONGEST_WAIT_MS)
    try {
      const before = position.seq
      const more = yield* readStream(api, id, position, options)
      if (!more) return
      // A stream that closes at once and empty each time must not be asked without a pause.
      if (position.seq === before) wait = Math.max(wait, FIRST_WAIT_MS)
    } catch (error) {
      if (options.signal.aborted) return
      if (position.deltas && isBadRequest(error)) {
        // An API from before deltas refuses what it does not know; the events alone are as good.
        position.deltas = false
        continue
      }
      wait = nextWait(error, position)
      if (position.failures === 1) options.onConnection({ lost: (error as Error).message })
    }
    await sleep(wait, undefined, { signal: options.signal }).catch(() => undefined)
  }
}

/** Answers whether there is more to come; false after the last event of the journal, or 204. */
async function* readStream(
  api: Api,
  id: string,
  position: Position,
  options: FollowOptions,
): AsyncGenerator<Followed, boolean> {
  const silence = new AbortController()
  const watchdog = setTimeout(() => silence.abort(new Error('nothing came for 50 seconds')), SILENCE_MS)
  try {
    const query = position.deltas ? '?deltas=true' : ''
    const response = await send(api, `missions/${id}/events${query}`, {
      headers: { accept: 'text/event-stream', ...(position.seq > 0 ? { 'last-event-id': String(position.seq) } : {}) },
      signal: AbortSignal.any([options.signal, silence.signal]),
    })
    options.onServerTime?.(Date.parse(response.headers.get('date') ?? ''))
    if (response.status === 204 || response.body === null) return false
    if (position.failures > 0) options.onConnection('back')
    const alive = (): void => {
      Object.assign(position, { aliveAt: Date.now(), failures: 0 })
      watchdog.refresh()
    }
    alive()
    for await (const { event, data } of parse(response.body, position, alive)) {
      if (event === 'delta') tellDelta(data, options)
      const followed = understand(data)
      if (followed === undefined || followed.event.seq <= position.seq) continue
      position.seq = followed.event.seq
      yield followed
      if (endsJournal(followed.event.type)) return false
    }
    return true
  } catch (error) {
    if (error instanceof ProblemError || error instanceof UnreachableError) throw error
    throw new UnreachableError(`The connection to ${api.url} was lost.`, { cause: error })
  } finally {
    clearTimeout(watchdog)
    silence.abort()
  }
}

async function* parse(
  body: ReadableStream<Uint8Array>,
  position: Position,
  alive: () => void,
): AsyncGenerator<EventSourceMessage> {
  const decoder = new TextDecoderStream() as unknown as ReadableWritablePair<string, Uint8Array>
  const messages = body.pipeThrough(decoder).pipeThrough(
    new EventSourceParserStream({
      onRetry: (ms) => (position.retryMs = ms),
      onComment: alive,
    }),
  )
  for await (const message of messages) {
    alive()
    yield message
  }
}

/** Messages without a number are not of the journal, such as `event: error`: the stream's end tells the rest. */
function understand(data: string): Followed | undefined {
  const raw = parseJson(data)
  const parsed = eventSchema.safeParse(raw)
  return parsed.success ? { raw, event: parsed.data } : undefined
}

function tellDelta(data: string, { onDelta }: FollowOptions): void {
  const parsed = deltaSchema.safeParse(parseJson(data))
  if (parsed.success) onDelta?.(parsed.data)
}

function parseJson(data: string): unknown {
  try {
    return JSON.parse(data)
  } catch {
    return undefined
  }
}

function isBadRequest(error: unknown): boolean {
  return error instanceof ProblemError && error.problem.status === 400
}

/** Milliseconds until the next try; throws what can't pass. */
function nextWait(error: unknown, position: Position): number {
  if (!mayPass(error)) throw error
  if (Date.now() - position.aliveAt > GIVE_UP_MS) {
    throw new CommandError(
      `${(error as Error).message} It did not come back in ten minutes; the mission may still be going on.`,
    )
  }
  position.failures += 1
  const grown = Math.min(FIRST_WAIT_MS * 2 ** (position.failures - 1), LONGEST_WAIT_MS)
  const asked = error instanceof ProblemError ? (error.retryAfterMs ?? 0) : 0
  return Math.max(grown, Math.min(asked, GIVE_UP_MS))
}
