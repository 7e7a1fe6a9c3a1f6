import { get, type IncomingMessage } from 'node:http'
import { createParser } from 'eventsource-parser'
import { endsJournal } from '../../src/domain/event.ts'
import type { Read } from '../proof/history.ts'
import type { Random } from '../sim/random.ts'
import { pause } from './clock.ts'

const SHORTEST_MS = 300
const LONGEST_MS = 3_000
/** After a connection that was refused, or cut off. */
const AGAIN_MS = 100

export interface Reading {
  read: Read
  /** How often it came back. */
  connections: number
  done: Promise<void>
}

/** Reads a mission's events to their end, cut off all the time; each time it goes on after the last event that it has. */
export function startReading(
  urls: readonly string[],
  { missionId, tenantId }: { missionId: string; tenantId: string },
  random: Random,
  signal: AbortSignal,
): Reading {
  const read: Read = { missionId, events: [], whole: false }
  const reading: Reading = { read, connections: 0, done: Promise.resolve() }

  async function follow(): Promise<void> {
    while (!read.whole && !signal.aborted) {
      reading.connections += 1
      const cut = AbortSignal.any([signal, AbortSignal.timeout(random.int(SHORTEST_MS, LONGEST_MS))])
      await connectOnce(`${random.pick(urls)}/api/v1/missions/${missionId}/events`, tenantId, read, cut)
      await pause(AGAIN_MS)
    }
  }

  reading.done = follow()
  return reading
}

/** One connection until it ends, whoever ends it. */
async function connectOnce(url: string, tenantId: string, read: Read, cut: AbortSignal): Promise<void> {
  const last = read.events.at(-1)?.seq
  const resume: Record<string, string> = last === undefined ? {} : { 'last-event-id': String(last) }
  const headers = { accept: 'text/event-stream', 'x-tenant': tenantId, ...resume }
  const response = await answerTo(url, headers, cut)
  if (response === undefined) return
  // The app says so to who has everything of a mission that has ended.
  if (response.statusCode === 204) read.whole = true
  const parser = createParser({
    onEvent({ id, event }) {
      if (id === undefined || event === undefined) return
      read.events.push({ seq: Number(id), type: event })
      if (endsJournal(event)) read.whole = true
    },
  })
  try {
    response.setEncoding('utf8')
    for await (const text of response) {
      if (response.statusCode === 200) parser.feed(text as string)
    }
  } catch {
    // Cut off, by us or by the server.
  }
}

function answerTo(url: string, headers: Record<string, string>, signal: AbortSignal) {
  return new Promise<IncomingMessage | undefined>((resolve) => {
    const request = get(url, { headers, signal, agent: false }, resolve)
    request.on('error', () => resolve(undefined))
  })
}
