import { endsJournal } from '../domain/event.ts'
import type { JournalRow } from '../domain/parse-event.ts'
import { toEventView } from '../missions/read-journal.ts'
import type { Delta, Watcher, Watchers } from '../missions/watchers.ts'
import type { ApiRequest } from './http.ts'

export interface StreamLimits {
  /** The platform ends a response at 230 s, so a stream closes itself before; a tenth of it varies. */
  lifetimeMs: number
  heartbeatMs: number
  /** Of a whole stream: a host that does not tell what its client took may read on for one that stopped. */
  maxBytes: number
  /** Of what was sent and not read yet; one event that is larger goes alone. */
  maxUnread: number
}

export const streamLimits: StreamLimits = {
  lifetimeMs: 180_000,
  heartbeatMs: 15_000,
  maxBytes: 32 * 1024 * 1024,
  maxUnread: 1024 * 1024,
}

export interface Reading {
  missionId: string
  tenantId: string
  afterSeq: number
  /** Whether the text of answers that are still being written is wanted too. */
  deltas?: boolean
  /** What the host knows of who reads, beyond what is taken from the stream. */
  client?: Pick<ApiRequest, 'unread' | 'onClose'>
}

/** So many whole heartbeats without a byte taken, while there is more to take: 30 to 45 s. */
const MOST_SILENT_BEATS = 2

/**
 * The journal as Server-Sent Events from `afterSeq` on: `id` is the event's number, so a client resumes with
 * `Last-Event-ID` without a gap. Ends after the event that ends the journal, or by its limits; never with an error. A slow
 * reader is served at its own pace; one that takes nothing for half a minute is not waited for, nor is one that is gone.
 * @throws Refusal `rate_limited` where the instance serves as many streams as it can
 */
export function eventStream(
  watchers: Watchers,
  reading: Reading,
  limits: StreamLimits = streamLimits,
): ReadableStream<Uint8Array> {
  let stream: EventStream | undefined
  return new ReadableStream<Uint8Array>(
    {
      start: (controller) => void (stream = new EventStream(watchers, reading, limits, controller)),
      cancel: () => stream?.release(),
    },
    new ByteLengthQueuingStrategy({ highWaterMark: limits.maxUnread }),
  )
}

class EventStream implements Watcher {
  readonly missionId: string
  readonly tenantId: string
  afterSeq: number
  preview: ((delta: Delta) => void) | undefined
  readonly #limits: StreamLimits
  readonly #client: NonNullable<Reading['client']>
  readonly #controller: ReadableStreamDefaultController<Uint8Array>
  readonly #unwatch: () => void
  readonly #heartbeat: NodeJS.Timeout
  readonly #lifetime: NodeJS.Timeout
  #isOpen = true
  #sent = 0
  /** Bytes of the event that there was no room for. */
  #held = 0
  #takenBefore = 0
  #silentBeats = 0
  #shown: Delta | undefined

  constructor(
    watchers: Watchers,
    { missionId, tenantId, afterSeq, deltas = false, client = {} }: Reading,
    limits: StreamLimits,
    controller: ReadableStreamDefaultController<Uint8Array>,
  ) {
    this.missionId = missionId
    this.tenantId = tenantId
    this.afterSeq = afterSeq
    if (deltas) this.preview = (delta) => this.#preview(delta)
    this.#limits = limits
    this.#client = client
    this.#controller = controller
    this.#unwatch = watchers.watch(this)
    this.#heartbeat = setInterval(() => this.#beat(), limits.heartbeatMs).unref()
    this.#lifetime = setTimeout(() => this.#end(), limits.lifetimeMs * (0.95 + Math.random() * 0.1)).unref()
    this.#send(encoder.encode('retry: 2000\n\n'))
    client.onClose?.(() => this.#end())
  }

  hasRoom(): boolean {
    return this.#fits(this.#held)
  }

  deliver(rows: readonly JournalRow[]): number {
    this.#held = 0
    let taken = 0
    for (const row of rows) {
      if (!this.#isOpen) break
      const bytes = frameOf(row)
      if (!this.#fits(bytes.length)) {
        this.#held = bytes.length
        break
      }
      this.#send(bytes)
      taken += 1
      if (this.#sent > this.#limits.maxBytes || endsJournal(row.type)) this.#end()
    }
    return taken
  }

  /** The client comes back by itself and asks again; an error in the stream would leave it hanging (nodejs-library#324). */
  fail(): void {
    if (this.#isOpen) this.#send(encoder.encode('event: error\ndata: {"code":"not_ready"}\n\n'))
    this.#end()
  }

  release(): void {
    this.#isOpen = false
    this.#unwatch()
    clearInterval(this.#heartbeat)
    clearTimeout(this.#lifetime)
  }

  /** The host's part has its own framing in it, some bytes a message. */
  get #unread(): number {
    return this.#limits.maxUnread - (this.#controller.desiredSize ?? 0) + (this.#client.unread?.() ?? 0)
  }

  #fits(bytes: number): boolean {
    return this.#unread === 0 || this.#unread + bytes <= this.#limits.maxUnread
  }

  #send(bytes: Uint8Array): void {
    this.#sent += bytes.length
    this.#controller.enqueue(bytes)
  }

  #end(): void {
    if (!this.#isOpen) return
    this.release()
    this.#controller.close()
  }

  /** Only for who has read everything: heartbeats must not pile up either. */
  #beat(): void {
    const unread = this.#unread
    const taken = this.#sent - unread
    const isSilent = this.#held > 0 && unread > 0 && taken <= this.#takenBefore
    this.#silentBeats = isSilent ? this.#silentBeats + 1 : 0
    this.#takenBefore = taken
    if (this.#silentBeats > MOST_SILENT_BEATS) this.#end()
    else if (unread === 0) this.#send(PING)
  }

  /** Without an id, so that a client resumes from events alone. Who is behind is shown the next one, which has all of it. */
  #preview(delta: Delta): void {
    if (!this.#isOpen || delta === this.#shown || this.#unread > 0) return
    const offset = isMoreOf(delta, this.#shown) ? this.#shown.text.length : 0
    this.#shown = delta
    const data = { afterSeq: delta.afterSeq, offset, text: delta.text.slice(offset) }
    if (data.text !== '') this.#send(encoder.encode(`event: delta\ndata: ${JSON.stringify(data)}\n\n`))
  }
}

const encoder = new TextEncoder()
const PING = encoder.encode(': ping\n\n')

/** All watchers of a poll are given the same rows, and get the same bytes. */
const frames = new WeakMap<JournalRow, Uint8Array>()

function frameOf(row: JournalRow): Uint8Array {
  const known = frames.get(row)
  if (known !== undefined) return known
  const frame = encoder.encode(`id: ${row.seq}\nevent: ${row.type}\ndata: ${JSON.stringify(toEventView(row))}\n\n`)
  frames.set(row, frame)
  return frame
}

function isMoreOf(delta: Delta, shown: Delta | undefined): shown is Delta {
  if (shown?.epoch !== delta.epoch || shown.afterSeq !== delta.afterSeq) return false
  return delta.text.startsWith(shown.text)
}
