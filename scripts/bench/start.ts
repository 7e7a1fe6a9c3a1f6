import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { connectQueue } from '../../src/engine/connect-queue.ts'
import { createQueueWakes } from '../../src/engine/queue-wakes.ts'
import { startAzurite } from '../../src/local/azurite/start-azurite.ts'
import { createAndWait } from '../../src/missions/create-and-wait.ts'
import { createMission } from '../../src/missions/create-mission.ts'
import { Watchers } from '../../src/missions/watchers.ts'
import { BENCH_CALLER, benchRequest, createBenchEngine } from './bench-engine.ts'
import type { BenchDatabase, BenchServer } from './database.ts'
import { inParallel, median, percentile, type Figure } from './figures.ts'

const MISSIONS = 200
/** The mean of the random time between two missions. */
const GAP_MS = 100
/** Missions before the clock starts, one after the other: an instance of production has started more than that. */
const WARM_UP = 200
/** Of `Prefer: wait`; no mission here takes as long. */
const WAIT_MS = 30_000

type OnStart = (mission: string) => void

interface Starter {
  /** Resolves when the mission has ended. */
  submit(mission: string): Promise<void>
  close(): Promise<void>
}

type Open = (database: BenchDatabase, onStart: OnStart) => Promise<Starter>

/** W3: missions that arrive at random; milliseconds from the call of submit to the first step's function being entered. */
export async function start(server: BenchServer, repeat: number): Promise<Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'taskforce-bench-queue-'))
  const azurite = await startAzurite({ dataDir: folder })
  const bare: number[] = []
  const inline: number[] = []
  const queued: number[] = []
  const requests: number[] = []
  const throughQueue = openQueue(azurite.connectionString, requests)
  try {
    for (let n = 0; n < repeat; n++) {
      bare.push(await run(server, openBare))
      inline.push(await run(server, openInline))
      queued.push(await run(server, throughQueue))
    }
  } finally {
    await azurite.stop()
    await rm(folder, { recursive: true, force: true })
  }
  const beside = (name: string, values: number[]): Figure => {
    const ratio = median(values.map((value, n) => value / (bare[n] ?? NaN)))
    const base = { bench: 'start', figure: `start.${name}`, value: median(values), unit: 'ms', n: repeat }
    return { ...base, baselineName: 'insert + notify + claim', baseline: median(bare), ratio }
  }
  const storage = { bench: 'start', figure: 'start.storage', value: percentile(requests, 50), unit: 'ms', n: repeat }
  return [beside('inline', inline), beside('queue', queued), storage]
}

/** The median of one repetition. */
async function run(server: BenchServer, open: Open): Promise<number> {
  const database = await server.fresh()
  const submitted = new Map<string, number>()
  const times: number[] = []
  const starter = await open(database, (mission) => {
    times.push(performance.now() - (submitted.get(mission) ?? NaN))
  })
  const submit = (mission: string) => {
    submitted.set(mission, performance.now())
    return starter.submit(mission)
  }
  await inParallel(1, WARM_UP, (n) => submit(`warm${n}`))
  times.length = 0
  const ends: Promise<void>[] = []
  let due = performance.now()
  for (let n = 0; n < MISSIONS; n++) {
    due += -Math.log(1 - Math.random()) * GAP_MS
    await sleep(Math.max(0, due - performance.now()))
    ends.push(submit(`mission${n}`))
  }
  await Promise.all(ends)
  await starter.close()
  await database.drop()
  if (times.length !== MISSIONS) throw new Error(`${times.length} of ${MISSIONS} missions have started`)
  return percentile(times, 50)
}

/** `Prefer: wait`: who takes the request in claims the mission in the commit that creates it. */
async function openInline(database: BenchDatabase, onStart: OnStart): Promise<Starter> {
  const { engine, missions, databases, close } = createBenchEngine(database.appUrl, { onStep: onStart })
  const context = { ...missions, engine, watchers: new Watchers(databases.engine) }
  return {
    submit: async (mission) => void (await createAndWait(context, BENCH_CALLER, benchRequest(mission, 1), WAIT_MS)),
    close,
  }
}

/**
 * Through the queue. Its poll interval is left out: the receiver asks the queue at the moment that submit has returned, when
 * the message is there. The requests to the queue, one that sends and one that receives, are in.
 * @param requests takes the milliseconds of both, for each mission
 */
function openQueue(connectionString: string, requests: number[]): Open {
  return async (database, onStart) => {
    const queue = await connectQueue({ kind: 'connection-string' }, connectionString)
    const storage = createQueueWakes(async () => queue)
    let sending = 0
    const wakes = {
      send: async (missionId: string, inSeconds: number) => {
        const asked = performance.now()
        await storage.send(missionId, inSeconds)
        sending = performance.now() - asked
      },
    }
    const { engine, missions, close } = createBenchEngine(database.appUrl, { onStep: onStart, wakes })
    return {
      async submit(mission) {
        await createMission(missions, BENCH_CALLER, benchRequest(mission, 1))
        const asked = performance.now()
        const { receivedMessageItems } = await queue.receiveMessages({ numberOfMessages: 16, visibilityTimeout: 30 })
        requests.push(sending + performance.now() - asked)
        const handle = async ({ messageId, popReceipt }: (typeof receivedMessageItems)[number]) => {
          await engine.runOne()
          await queue.deleteMessage(messageId, popReceipt)
        }
        await Promise.all(receivedMessageItems.map(handle))
      },
      close,
    }
  }
}

/** The floor: insert and notify in one statement, and a session that listens and claims with SKIP LOCKED. */
async function openBare({ ownerUrl }: BenchDatabase, onStart: OnStart): Promise<Starter> {
  const pool = new pg.Pool({ connectionString: ownerUrl, max: 10 })
  await pool.query(`create table public.bare_missions (
    id text primary key, state text not null default 'queued', at timestamptz not null default now())`)
  await pool.query(`create index on public.bare_missions (at) where state = 'queued'`)
  const listener = new pg.Client({ connectionString: ownerUrl })
  await listener.connect()
  const started = new Map<string, () => void>()
  const claim = async () => {
    const { rows } = await pool.query<{ id: string }>({ name: 'bare_claim', text: CLAIM })
    const id = rows[0]?.id ?? ''
    onStart(id)
    started.get(id)?.()
  }
  listener.on('notification', () => void claim())
  await listener.query('listen bare_missions')
  return {
    async submit(mission) {
      const hasStarted = new Promise<void>((resolve) => started.set(mission, resolve))
      await pool.query({ name: 'bare_submit', text: SUBMIT, values: [mission] })
      await hasStarted
    },
    async close() {
      await listener.end()
      await pool.end()
    },
  }
}

const SUBMIT = `
  with i as (insert into public.bare_missions (id) values ($1) returning id)
  select pg_notify('bare_missions', id) from i`
const CLAIM = `
  update public.bare_missions set state = 'running' where id = (
    select id from public.bare_missions where state = 'queued' order by at limit 1 for update skip locked)
  returning id`
