import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { text } from 'node:stream/consumers'
import { v7 as uuidv7 } from 'uuid'
import { z } from 'zod'
import { createMissions } from '../../src/engine/postgres-missions.ts'
import { sweep } from '../../src/engine/sweep.ts'
import { createBenchEngine } from './bench-engine.ts'
import { withClient, type BenchDatabase, type BenchServer } from './database.ts'
import { inParallel, median, type Figure } from './figures.ts'

const WAITING = 10_000
const WEEK_SECONDS = 604_800
/** Samples of each statement, and as many before the clock starts. */
const SAMPLES = 50
const SCRIPT = fileURLToPath(new URL('waiting-instance.ts', import.meta.url))

const awakeSchema = z.object({ cpuMs: z.number(), serverMs: z.number(), rss: z.number() })
type Awake = z.infer<typeof awakeSchema>
const STATEMENTS = ['claim', 'sweep', 'poll'] as const
type Costs = Record<(typeof STATEMENTS)[number], number>

/**
 * What 10,000 missions cost that wait for an answer or for a timer a week away: one instance that is awake, beside the same
 * one without them, and the statements that look for what may move.
 * @param full 100,000 of them
 */
export async function waiting(server: BenchServer, repeat: number, full: boolean): Promise<Figure[]> {
  const [idle, crowded] = [await server.fresh(), await server.fresh()]
  await fill(crowded, full ? WAITING * 10 : WAITING)
  const awake: { idle: Awake; crowded: Awake }[] = []
  const costs: { idle: Costs; crowded: Costs }[] = []
  for (let n = 0; n < repeat; n++) {
    awake.push({ idle: await inNewProcess(server, idle), crowded: await inNewProcess(server, crowded) })
    costs.push(await statementCosts(idle, crowded))
  }
  await idle.drop()
  await crowded.drop()
  return [
    beside('cpu', 'ms/s', awake, ({ cpuMs, serverMs }) => cpuMs + serverMs),
    beside('serverCpu', 'ms/s', awake, ({ serverMs }) => serverMs),
    beside('rss', 'MiB', awake, ({ rss }) => rss),
    ...STATEMENTS.map((name) => beside(name, 'ms', costs, (run) => run[name])),
  ]
}

function beside<T>(name: string, unit: string, runs: { idle: T; crowded: T }[], value: (run: T) => number): Figure {
  const [idle, crowded] = [runs.map((run) => value(run.idle)), runs.map((run) => value(run.crowded))]
  const ratio = median(crowded.map((one, n) => one / (idle[n] ?? NaN)))
  const base = { bench: 'waiting', figure: `waiting.${name}`, value: median(crowded), unit, n: runs.length }
  return { ...base, baselineName: 'same without', baseline: median(idle), ratio }
}

/** The engine makes two missions that wait, one for an answer and one for a timer; the others are copies of both. */
async function fill(database: BenchDatabase, count: number): Promise<void> {
  const calls = [
    { name: 'ask_user', arguments: JSON.stringify({ question: 'Which colour do you like?' }) },
    { name: 'wait', arguments: JSON.stringify({ seconds: WEEK_SECONDS }) },
  ]
  const bench = createBenchEngine(database.appUrl, {
    firstCall: () => calls.pop() ?? { name: 'work', arguments: '{}' },
  })
  await inParallel(1, calls.length, async () => {
    await bench.create(2)
    await bench.engine.runOne()
  })
  await bench.close()
  await withClient(database.ownerUrl, async (client) => {
    const { rowCount } = await client.query(COPY, [count / 2 - 1])
    if (rowCount !== (count / 2 - 1) * 2) throw new Error(`There are ${rowCount} copies, not ${count - 2}`)
    await client.query('vacuum analyze taskforce.missions, taskforce.events')
  })
}

const COPY = `
  with copies as (
    select gen_random_uuid() as id, m.id as original
    from taskforce.missions m, generate_series(1, $1::int) where m.status = 'waiting'
  ), journals as (
    insert into taskforce.events (mission_id, seq, epoch, v, type, data, at, tenant_id)
    select c.id, e.seq, e.epoch, e.v, e.type, e.data, e.at, e.tenant_id
    from copies c join taskforce.events e on e.mission_id = c.original
  )
  insert into taskforce.missions (id, tenant_id, status, goal, profile, profile_hash, labels, priority, epoch, wake_at, inbox,
    claimed_seq, summary, created_at, started_at)
  select c.id, m.tenant_id, m.status, m.goal, m.profile, m.profile_hash, m.labels, m.priority, m.epoch,
    m.wake_at + random() * interval '1 day', m.inbox, m.claimed_seq, m.summary, m.created_at, m.started_at
  from copies c join taskforce.missions m on m.id = c.original`

async function inNewProcess(server: BenchServer, database: BenchDatabase): Promise<Awake> {
  const child = spawn(process.execPath, ['--expose-gc', '--disable-warning=ExperimentalWarning', SCRIPT], {
    env: { ...process.env, BENCH_DATABASE_URL: database.appUrl, BENCH_SUPER_URL: server.superUrl },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [said] = await Promise.all([text(child.stdout), once(child, 'close')])
  await forgetClaimed(database)
  return awakeSchema.parse(JSON.parse(said))
}

/** Medians; the two databases take turns, so that what else the machine does falls on both. */
async function statementCosts(idle: BenchDatabase, crowded: BenchDatabase): Promise<{ idle: Costs; crowded: Costs }> {
  const [one, other] = [await timers(idle), await timers(crowded)]
  const costs = { idle: { claim: 0, sweep: 0, poll: 0 }, crowded: { claim: 0, sweep: 0, poll: 0 } }
  for (const name of STATEMENTS) {
    const times = { idle: [] as number[], crowded: [] as number[] }
    for (let n = 0; n < SAMPLES * 2; n++) {
      times.idle.push(await one[name]())
      times.crowded.push(await other[name]())
    }
    costs.idle[name] = median(times.idle.slice(SAMPLES))
    costs.crowded[name] = median(times.crowded.slice(SAMPLES))
  }
  await one.close()
  await other.close()
  return costs
}

/** Each gives the milliseconds of one call. A claim finds a mission, which then stays claimed. */
async function timers(database: BenchDatabase) {
  const bench = createBenchEngine(database.appUrl)
  const db = bench.databases.engine
  const { wakes, telemetry } = bench.missions
  const instance = createMissions(db, { id: uuidv7(), version: '0', host: 'bench' }, 3_600)
  await instance.beat()
  const timed = async (work: () => Promise<unknown>) => {
    const begun = performance.now()
    await work()
    return performance.now() - begun
  }
  return {
    claim: async () => {
      await bench.create(1)
      return timed(() => instance.claim(1, true))
    },
    sweep: () => timed(() => sweep({ db, wakes, telemetry }, 0)),
    poll: () => timed(() => instance.poll()),
    close: async () => {
      await instance.leave()
      await bench.close()
      await forgetClaimed(database)
    },
  }
}

function forgetClaimed(database: BenchDatabase): Promise<void> {
  return withClient(database.ownerUrl, async (client) => {
    await client.query(`update taskforce.missions set status = 'cancelled', owner = null, wake_at = null
      where owner is not null`)
    await client.query('delete from taskforce.instances')
  })
}
