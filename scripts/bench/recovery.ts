import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createBenchEngine, type BenchEngine } from './bench-engine.ts'
import { withClient, type BenchDatabase, type BenchServer } from './database.ts'
import { percentile, type Figure } from './figures.ts'

/** Kills in a repetition, with so many missions under way each. */
const KILLS = 7
const MISSIONS = 8
/** Of a mission on the instance that is killed, with time between its steps as a model takes it; on the other one they take none. */
const STEPS = 120
const STEP_MS = 200
/** Marks the mission that the surviving instance works on all the time. */
export const KEEPER_STEPS = 1_000
const LEASE_MS = 5_000
/** Of production. */
const FULL_LEASE_MS = 30_000

const SCRIPT = fileURLToPath(new URL('./recovery-instance.ts', import.meta.url))

/**
 * Milliseconds over the lease from the SIGKILL of an instance to the next recorded step of each of its missions on another
 * instance that is awake: no wake is sent and nobody sweeps.
 * @param full with the lease of production, 30 s, and so six times as long
 */
export async function recovery(server: BenchServer, repeat: number, full: boolean): Promise<Figure[]> {
  const leaseMs = full ? FULL_LEASE_MS : LEASE_MS
  const database = await server.fresh()
  const bench = createBenchEngine(database.appUrl)
  const survivor = await startInstance(database.appUrl, leaseMs, 0)
  const over: number[] = []
  try {
    await bench.create(KEEPER_STEPS)
    survivor.send('run')
    await until(async () => (await claimed(database)) === 1)
    for (let kill = 0; kill < KILLS * repeat; kill++) over.push(...(await killOne(database, bench, leaseMs)))
  } finally {
    await end(survivor)
    await bench.close()
    await database.drop()
  }
  const figure = (name: string, p: number): Figure => {
    return {
      bench: 'recovery',
      figure: `recovery.${name}`,
      value: percentile(over, p),
      unit: 'ms over the lease',
      n: over.length,
    }
  }
  return [figure('p50', 50), figure('p99', 99)]
}

async function killOne(database: BenchDatabase, bench: BenchEngine, leaseMs: number): Promise<number[]> {
  const victim = await startInstance(database.appUrl, leaseMs, STEP_MS)
  const ids = await Promise.all(Array.from({ length: MISSIONS }, () => bench.create(STEPS)))
  for (const _ of ids) victim.send('run')
  await until(async () => (await claimed(database)) === MISSIONS + 1)
  // Its last heartbeat is up to a third of the lease ago when it dies, and everything in between comes up.
  await delay(STEP_MS + Math.random() * (leaseMs / 3))
  const killedAt = Date.now()
  await end(victim)
  await until(async () => (await nextSteps(database, ids)).length === MISSIONS)
  const steps = await nextSteps(database, ids)
  await until(async () => (await claimed(database)) === 1)
  return steps.map((at) => at - killedAt - leaseMs)
}

async function startInstance(url: string, leaseMs: number, stepMs: number): Promise<ChildProcess> {
  const child = fork(SCRIPT, [url, String(leaseMs), String(stepMs)], {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  })
  await once(child, 'message')
  return child
}

async function end(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

function claimed(database: BenchDatabase): Promise<number> {
  return withClient(database.ownerUrl, async (client) => {
    const { rows } = await client.query<{ n: number }>(
      'select count(*)::int as n from taskforce.missions where owner is not null',
    )
    return rows[0]?.n ?? 0
  })
}

/** When each mission's first step under its second owner was recorded, by the server's clock, which is this machine's. */
function nextSteps(database: BenchDatabase, ids: string[]): Promise<number[]> {
  return withClient(database.ownerUrl, async (client) => {
    const { rows } = await client.query<{ at: Date }>(
      'select min(at) as at from taskforce.events where mission_id = any($1) and epoch = 2 group by mission_id',
      [ids],
    )
    return rows.map(({ at }) => at.getTime())
  })
}

async function until(check: () => Promise<boolean>): Promise<void> {
  while (!(await check())) await delay(100)
}
