import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { createBaseline } from './baseline.ts'
import { createBenchEngine } from './bench-engine.ts'
import { withClient, type BenchDatabase, type BenchServer } from './database.ts'
import { inParallel, median, type Figure } from './figures.ts'
import { measure } from './probe.ts'

const STEPS = 800
const TENTH = STEPS / 10
const WARM_UP = 20

interface Grown {
  firstMs: number
  lastMs: number
  wal: number
  resumeMs: number
}

/**
 * W2: one mission of 800 steps, cut dead as the next one starts, and taken up by a process that has just begun; beside as
 * many bare inserts, and a bare read of them in such a process.
 */
export async function growth(server: BenchServer, repeat: number): Promise<Figure[]> {
  const ours: Grown[] = []
  const bare: Grown[] = []
  for (let n = 0; n < repeat; n++) {
    bare.push(await growBare(server))
    ours.push(await growEngine(server))
  }
  const of = (runs: readonly Grown[], value: (run: Grown) => number) => median(runs.map(value))
  const ratio = (value: (run: Grown) => number) => median(ours.map((run, n) => value(run) / value(bare[n] as Grown)))
  const base = { bench: 'growth', n: repeat }
  const beside = (name: string, unit: string, baselineName: string, value: (run: Grown) => number): Figure => {
    const pair = { value: of(ours, value), unit, baselineName, baseline: of(bare, value), ratio: ratio(value) }
    return { ...base, figure: `growth.${name}`, ...pair }
  }
  return [
    {
      ...base,
      figure: 'growth.lastOverFirst',
      value: median(ours.map(({ firstMs, lastMs }) => lastMs / firstMs)),
      unit: 'last tenth over first tenth',
    },
    beside('wal', 'bytes', 'bare inserts', ({ wal }) => wal),
    beside('resume', 'ms', 'bare read', ({ resumeMs }) => resumeMs),
  ]
}

async function growEngine(server: BenchServer): Promise<Grown> {
  const database = await server.fresh()
  let measured = false
  const entered: number[] = []
  const enough = Promise.withResolvers<void>()
  const bench = createBenchEngine(database.appUrl, {
    onStep: () => {
      if (!measured) return undefined
      entered.push(performance.now())
      if (entered.length <= STEPS) return undefined
      enough.resolve()
      // As a process that is killed here: this step never ends.
      return new Promise<void>(() => undefined)
    },
  })
  await inParallel(1, WARM_UP, async () => {
    await bench.create(20)
    await bench.engine.runOne()
  })
  const cost = await measure(server.superUrl, database.ownerUrl, async () => {
    measured = true
    await bench.create(STEPS + 2)
    void bench.engine.runOne().catch(() => undefined)
    await enough.promise
  })
  const resumeMs = await inNewProcess('engine', database)
  void bench.close().catch(() => undefined)
  await withClient(server.superUrl, (client) => client.query(DISCONNECT, ['taskforce_app']))
  await database.drop()
  return { firstMs: msAStep(entered, 0), lastMs: msAStep(entered, STEPS - TENTH), wal: cost.walBytes, resumeMs }
}

async function growBare(server: BenchServer): Promise<Grown> {
  const database = await server.fresh()
  const baseline = await createBaseline(database.ownerUrl, 1)
  await inParallel(1, WARM_UP, () => baseline.run(20, () => undefined))
  const entered: number[] = []
  const cost = await measure(server.superUrl, database.ownerUrl, () =>
    baseline.run(STEPS, () => void entered.push(performance.now())),
  )
  await baseline.close()
  const resumeMs = await inNewProcess('bare', database)
  await database.drop()
  return { firstMs: msAStep(entered, 0), lastMs: msAStep(entered, STEPS - TENTH - 1), wal: cost.walBytes, resumeMs }
}

const DISCONNECT = 'select pg_terminate_backend(pid) from pg_stat_activity where usename = $1'

function msAStep(entered: readonly number[], from: number): number {
  return ((entered[from + TENTH] ?? NaN) - (entered[from] ?? NaN)) / TENTH
}

/** What `resume.ts` measures, with its connection open before the clock starts, as with the other engines. */
async function inNewProcess(what: 'engine' | 'bare', database: BenchDatabase): Promise<number> {
  const url = what === 'engine' ? database.appUrl : database.ownerUrl
  const script = new URL('resume.ts', import.meta.url)
  const child = spawn(process.execPath, [script.pathname, what], {
    env: { ...process.env, BENCH_DATABASE_URL: url },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [said] = await Promise.all([text(child.stdout), once(child, 'close')])
  return Number(said)
}
