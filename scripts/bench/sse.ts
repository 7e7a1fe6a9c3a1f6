import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { v7 as uuidv7 } from 'uuid'
import { eventStream } from '../../src/api/event-stream.ts'
import { createDatabases, type EngineDb } from '../../src/db/connection.ts'
import { DEFAULT_TENANT } from '../../src/missions/context.ts'
import { Watchers } from '../../src/missions/watchers.ts'
import type { BenchServer } from './database.ts'
import { median, percentile, type Figure } from './figures.ts'
import { textOf } from './payload.ts'

const WATCHERS = 500
const EVENTS = 60
/** The mean of the random time between two events, so that they fall anywhere between two polls. */
const PAUSE_MS = 150
/** How often an instance asks the database; the bar is this and 100 ms. */
const POLL_MS = 250

interface Load {
  watchers: number
  missions: number
}

interface Run {
  /** Milliseconds from before an event's insert was sent to a reader's having it, one for each event and reader. */
  latencies: number[]
  /** Statements of the instance in the time of one poll. */
  statements: number
  /** Milliseconds of CPU of this process for each event: readers, poller and the insert. */
  cpu: number
}

/** Events of a kilobyte at random moments to 500 real streams of one instance: all of one mission, and of five. */
export async function sse(server: BenchServer, repeat: number): Promise<Figure[]> {
  const runs: Record<'alone' | 'one' | 'five', Run[]> = { alone: [], one: [], five: [] }
  for (let n = 0; n < repeat; n++) {
    runs.alone.push(await run(server, { watchers: 1, missions: 1 }))
    runs.one.push(await run(server, { watchers: WATCHERS, missions: 1 }))
    runs.five.push(await run(server, { watchers: WATCHERS, missions: 5 }))
  }
  return [...figuresOf('', runs.one, runs.alone), ...figuresOf('.5missions', runs.five, runs.alone)]
}

function figuresOf(suffix: string, runs: Run[], alone: Run[]): Figure[] {
  const pair = (name: string, unit: string, value: (run: Run) => number): Figure => {
    const baseline = median(alone.map(value))
    const ratio = median(runs.map((one, index) => value(one) / value(alone[index] as Run)))
    const figure = `sse.${name}${suffix}`
    const mine = median(runs.map(value))
    return { bench: 'sse', figure, value: mine, unit, baselineName: 'one watcher', baseline, ratio, n: runs.length }
  }
  return [
    pair('p95', 'ms', ({ latencies }) => percentile(latencies, 95)),
    pair('p50', 'ms', ({ latencies }) => percentile(latencies, 50)),
    pair('statements', 'per poll', ({ statements }) => statements),
    pair('cpu', 'ms/event', ({ cpu }) => cpu),
  ]
}

async function run(server: BenchServer, load: Load): Promise<Run> {
  const database = await server.fresh()
  const databases = createDatabases({ url: database.appUrl, pooler: undefined, onError: () => undefined })
  const writer = new pg.Client({ connectionString: database.ownerUrl })
  await writer.connect()
  const ids = Array.from({ length: load.missions }, () => uuidv7())
  const statements = countStatements(databases.engine)
  const readers = openReaders(databases.engine, ids, load.watchers)
  const add = createAppender(writer, ids, readers.expect)
  // Before the clock starts: the first statements, and every reader's first event.
  for (const id of ids) await add(id)
  await readers.allRead()
  readers.latencies.length = 0
  const before = { at: performance.now(), statements: statements(), cpu: process.cpuUsage() }
  for (let n = 0; n < EVENTS; n++) {
    await sleep(Math.random() * 2 * PAUSE_MS)
    await add(ids[n % ids.length] as string)
  }
  await readers.allRead()
  const { user, system } = process.cpuUsage(before.cpu)
  const result = {
    latencies: readers.latencies,
    statements: (statements() - before.statements) / ((performance.now() - before.at) / POLL_MS),
    cpu: (user + system) / 1000 / EVENTS,
  }
  await readers.close()
  await writer.end()
  await databases.close()
  await database.drop()
  return result
}

function countStatements(db: EngineDb): () => number {
  let count = 0
  const query = db.query.bind(db) as (...args: unknown[]) => unknown
  db.query = ((...args: unknown[]) => {
    count++
    return query(...args)
  }) as typeof db.query
  return () => count
}

/** Appends a mission's next event; tells beforehand that it comes. */
function createAppender(writer: pg.Client, ids: string[], expect: (missionId: string, seq: number) => void) {
  const lengths = new Map(ids.map((id) => [id, 0]))
  return async (id: string) => {
    const seq = (lengths.get(id) ?? 0) + 1
    lengths.set(id, seq)
    const data = JSON.stringify({ model: 'bench', text: textOf(seq), toolCalls: [] })
    expect(id, seq)
    await writer.query({
      name: 'append',
      text: `insert into taskforce.events (mission_id, seq, epoch, v, type, data, tenant_id)
             values ($1, $2, 1, 1, 'model.answered', $3, $4)`,
      values: [id, seq, data, DEFAULT_TENANT],
    })
  }
}

/** Reads as the platform's library does: chunk by chunk, as fast as they come. */
function openReaders(db: EngineDb, ids: string[], count: number) {
  const watchers = new Watchers(db)
  const decoder = new TextDecoder()
  const sentAt = new Map<string, number>()
  const latencies: number[] = []
  let missing = 0
  let onAll = () => {}
  const streams = Array.from({ length: count }, (_, n) => {
    const missionId = ids[n % ids.length] as string
    return {
      missionId,
      reader: eventStream(watchers, { missionId, tenantId: DEFAULT_TENANT, afterSeq: 0 }).getReader(),
    }
  })
  const reading = streams.map(async ({ missionId, reader }) => {
    for (let next = await reader.read(); next.value !== undefined; next = await reader.read()) {
      const now = performance.now()
      const seq = /^id: (\d+)/.exec(decoder.decode(next.value.subarray(0, 20)))?.[1]
      if (seq === undefined) continue
      latencies.push(now - (sentAt.get(`${missionId} ${seq}`) ?? NaN))
      if (--missing === 0) onAll()
    }
  })
  return {
    latencies,
    expect(missionId: string, seq: number) {
      sentAt.set(`${missionId} ${seq}`, performance.now())
      missing += streams.filter((stream) => stream.missionId === missionId).length
    },
    async allRead() {
      if (missing > 0) await new Promise<void>((resolve) => (onAll = resolve))
    },
    async close() {
      await Promise.all(streams.map(({ reader }) => reader.cancel()))
      await Promise.all(reading)
    },
  }
}
