import { endsJournal } from '../domain/event.ts'
import type { JournalRow } from '../domain/parse-event.ts'
import { toEventView } from '../missions/read-journal.ts'
import type { Watchers } from '../missions/watchers.ts'

export interface StreamLimits {
  /** The platform ends a response at 230 s, so a stream closes itself before; a tenth of it varies. */
  lifetimeMs: number
  heartbeatMs: number
  /** A client that stopped reading can't be seen, so what may pile up for it is bounded. */
  maxBytes: number
}

export const streamLimits: StreamLimits = { lifetimeMs: 180_000, heartbeatMs: 15_000, maxBytes: 32 * 1024 * 1024 }

/**
 * The journal as Server-Sent Events from `afterSeq` on: `id` is the event's number, so a client resumes with
 * `Last-Event-ID` without a gap. Ends after the event that ends the journal, or by its limits; never with an error.
 */
export function eventStream(
  watchers: Watchers,
  watched: { missionId: string; afterSeq: number },
  limits: StreamLimits = streamLimits,
): ReadableStream<Uint8Array> {
  let release = () => {}
  return new ReadableStream<Uint8Array>({
    start(controller) {
      const encoder = new TextEncoder()
      let sent = 0
      const send = (chunk: string) => {
        const bytes = encoder.encode(chunk)
        sent += bytes.length
        controller.enqueue(bytes)
      }
      let open = true
      release = () => {
        open = false
        unwatch()
        clearInterval(heartbeat)
        clearTimeout(lifetime)
      }
      const end = () => {
        if (!open) return
        release()
        controller.close()
      }
      const heartbeat = setInterval(() => open && send(': ping\n\n'), limits.heartbeatMs).unref()
      const lifetime = setTimeout(() => end(), limits.lifetimeMs * (0.95 + Math.random() * 0.1)).unref()
      send('retry: 2000\n\n')
      const unwatch = watchers.watch({
        ...watched,
        deliver: (rows) => {
          for (const row of rows) {
            if (!open) return
            send(frame(row))
            if (sent > limits.maxBytes || endsJournal(row.type)) end()
          }
        },
        // The client comes back by itself and asks again; an error in the stream would leave it hanging (nodejs-library#324).
        fail: () => {
          if (open) send('event: error\ndata: {"code":"not_ready"}\n\n')
          end()
        },
      })
    },
    cancel: () => release(),
  })
}

function frame(row: JournalRow): string {
  return `id: ${row.seq}\nevent: ${row.type}\ndata: ${JSON.stringify(toEventView(row))}\n\n`
}
