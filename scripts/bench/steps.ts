import { createBaseline } from './baseline.ts'
import { createBenchEngine } from './bench-engine.ts'
import type { BenchServer } from './database.ts'
import { inParallel, median, percentile, type Figure } from './figures.ts'
import { measure, type Cost } from './probe.ts'

const STEPS = 20
/** Missions before the clock starts: code that runs a thousand times a second is compiled by then, here as in production. */
const WARM_UP = 200
/** Missions at once, and missions in a run; as in the comparison with other engines. */
const LOADS = [
  { atOnce: 1, missions: 100 },
  { atOnce: 8, missions: 200 },
  { atOnce: 32, missions: 320 },
]

interface Run extends Cost {
  p50: number
  steps: number
}

/** W1: missions of 20 steps, 1, 8 and 32 at once, beside the bare insert, one after the other in each repetition. */
export async function steps(server: BenchServer, repeat: number): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const load of LOADS) {
    const bare: Run[] = []
    const ours: Run[] = []
    for (let n = 0; n < repeat; n++) {
      bare.push(await runBare(server, load))
      ours.push(await runEngine(server, load))
    }
    figures.push(...figuresOf(load.atOnce, bare, ours, repeat))
  }
  return figures
}

function figuresOf(atOnce: number, bare: Run[], ours: Run[], n: number): Figure[] {
  const of = (runs: Run[], value: (run: Run) => number) => median(runs.map(value))
  const pair = (name: string, unit: string, value: (run: Run) => number): Figure => {
    const [mine, theirs] = [of(ours, value), of(bare, value)]
    const ratio = median(ours.map((run, index) => value(run) / value(bare[index] as Run)))
    return {
      bench: 'steps',
      figure: `steps.${name}.${atOnce}`,
      value: mine,
      unit,
      baselineName: 'bare insert',
      baseline: theirs,
      ratio,
      n,
    }
  }
  const alone = (name: string, unit: string, value: (run: Run) => number): Figure => {
    return { bench: 'steps', figure: `steps.${name}.${atOnce}`, value: of(ours, value), unit, n }
  }
  return [
    pair('p50', 'ms', ({ p50 }) => p50),
    pair('rate', 'steps/s', (run) => (run.steps / run.ms) * 1000),
    pair('cpu', 'ms/step', (run) => run.cpuMs / run.steps),
    pair('wal', 'bytes/step', (run) => run.walBytes / run.steps),
    alone('roundTrips', 'per step', (run) => run.roundTrips / run.steps),
    alone('rows', 'per step', (run) => run.rows / run.steps),
  ]
}

/** Milliseconds from one step's function being entered to the next's, so that the commit is inside. */
function createStopwatch() {
  const entered = new Map<string, number>()
  const latencies: number[] = []
  return {
    latencies,
    onStep(mission: string) {
      const now = performance.now()
      const before = entered.get(mission)
      if (before !== undefined) latencies.push(now - before)
      entered.set(mission, now)
    },
  }
}

async function runBare(server: BenchServer, { atOnce, missions }: (typeof LOADS)[number]): Promise<Run> {
  const database = await server.fresh()
  const baseline = await createBaseline(database.ownerUrl, atOnce)
  await inParallel(atOnce, WARM_UP, () => baseline.run(STEPS, () => undefined))
  const { latencies, onStep } = createStopwatch()
  const cost = await measure(server.superUrl, database.ownerUrl, () =>
    inParallel(atOnce, missions, () => baseline.run(STEPS, onStep)),
  )
  await baseline.close()
  await database.drop()
  return { ...cost, p50: percentile(latencies, 50), steps: missions * STEPS }
}

async function runEngine(server: BenchServer, { atOnce, missions }: (typeof LOADS)[number]): Promise<Run> {
  const database = await server.fresh()
  let watch = createStopwatch()
  const bench = createBenchEngine(database.appUrl, { onStep: (mission) => watch.onStep(mission) })
  const one = async () => {
    await bench.create(STEPS)
    await bench.engine.runOne()
  }
  await inParallel(atOnce, WARM_UP, one)
  watch = createStopwatch()
  const cost = await measure(server.superUrl, database.ownerUrl, () => inParallel(atOnce, missions, one))
  await bench.close()
  await database.drop()
  return { ...cost, p50: percentile(watch.latencies, 50), steps: missions * STEPS }
}
