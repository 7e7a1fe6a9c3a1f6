import { check } from '../proof/check.ts'
import { recoveryTimes } from '../proof/report.ts'
import type { History, Violation } from '../proof/history.ts'
import type { Backend, Snapshot } from './backend.ts'
import { SimClient } from './client.ts'
import { endings } from './endings.ts'
import type { Injected } from './faults.ts'
import { unleash } from './nemesis.ts'
import { People } from './people.ts'
import { planMissions, type PlannedMission } from './plans.ts'
import { quiet } from './quiet.ts'
import { Standstill } from './standstill.ts'
import { collectSurprises } from './surprises.ts'
import { TENANT_IDS } from './tenants.ts'
import { installVirtualTime } from './virtual-time.ts'
import { START_MS, World } from './world.ts'

/** One history, and what of it is to happen. */
export interface Case {
  seed: number
  /** Missions by their place in the plan; absent: all. */
  missions?: readonly number[]
  /** Faults by their ids; absent: all. */
  faults?: readonly string[]
  /** Whether its lines are wanted. */
  trace?: boolean
}

export interface Outcome {
  violations: Violation[]
  injected: Injected[]
  /** Missions of the plan, whichever of them took part. */
  planned: number
  recoveriesMs: number[]
  /** Equal for equal histories. */
  traced: number
  lines: readonly string[] | undefined
  history: History
}

const INSTANCES = 3
/** When the last fault is over. */
const HEALED_MS = 150_000
/** Longer than any rest that the engine takes by itself after a fault: 10 failures of a model in a row take 25 minutes. */
const PATIENCE_MS = 3_600_000
/** What was cancelled in the last moment is still under way until the next poll (seed 21722). */
const WINDS_UP_MS = 3_000
/** One of so many histories is watched for what goes on when there is nothing left to do. */
const LISTENED_TO = 10
const SWEEP_MS = 60_000
const SWEEP_MISSED = 0.15

/** Runs one history from its seed to its rest, and looks at it. */
export async function runHistory(given: Case, backend: Backend, trace = false): Promise<Outcome> {
  const { seed } = given
  const only = given.faults && new Set(given.faults)
  const world = new World(seed, backend, { only, trace })
  const uninstall = installVirtualTime(world.scheduler)
  collectSurprises(world.surprises)
  try {
    const history = await live(world, seed, chosen(seed, given.missions))
    return {
      violations: [...check(history), ...world.violations, ...surprises(world)],
      injected: world.faults.injected,
      planned: planMissions(seed).length,
      recoveriesMs: recoveryTimes(history),
      traced: world.traced,
      lines: world.lines,
      history,
    }
  } finally {
    uninstall()
  }
}

function chosen(seed: number, missions: readonly number[] | undefined): PlannedMission[] {
  const all = planMissions(seed)
  return missions === undefined ? all : all.filter((_, n) => missions.includes(n))
}

async function live(world: World, seed: number, plans: readonly PlannedMission[]): Promise<History> {
  const { scheduler, server } = world
  const clients = TENANT_IDS.map((tenantId) => new SimClient(world, tenantId))
  const people = new People(world, seed, clients, plans)
  for (let n = 0; n < INSTANCES; n++) world.start()
  unleash(world, seed, HEALED_MS)
  people.begin()
  let healed = false
  scheduler.after(HEALED_MS, undefined, () => {
    healed = true
    heal(world)
  })
  sweepEvery(world)
  people.lookEvery(
    () => server.backend.snapshot(),
    () => healed,
  )
  const standstill = new Standstill(world)
  let rest = false
  const look = async (): Promise<void> => {
    const snapshot = await server.backend.snapshot()
    rest = healed && people.idle && server.underWay === 0 && snapshot.missions.every(({ status }) => ENDED.has(status))
    if (healed) standstill.look(snapshot)
    if (!rest) scheduler.after(LOOK_MS, undefined, look)
  }
  scheduler.after(HEALED_MS, undefined, look)
  // What stands still is found by then, and would be waited for to the end.
  await scheduler.run(START_MS + HEALED_MS + PATIENCE_MS, () => rest || standstill.violations.length > 0)
  world.violations.push(...standstill.violations)
  people.readAll(await server.backend.snapshot())
  await scheduler.run(scheduler.now + PATIENCE_MS, () => people.idle)
  await scheduler.run(scheduler.now + WINDS_UP_MS, () => false)
  await scheduler.run(scheduler.now + DEAF_MS, () => !isAnyToolRunning(world))
  const snapshot = await server.backend.snapshot()
  world.violations.push(...endings(snapshot, world.faultLog))
  if (rest && seed % LISTENED_TO === 0) {
    people.goHome()
    world.violations.push(...(await quiet(world)))
  }
  return historyOf(world, snapshot)
}

/** A poll that goes into a dead connection is given up after the driver's 30 s: so late a cancel may reach a tool. */
const DEAF_MS = 40_000

const LOOK_MS = 5_000
const ENDED: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled'])

function isAnyToolRunning({ toolRuns, living }: World): boolean {
  const alive = new Set(living.map(({ id }) => id))
  return toolRuns.some(({ endedAt, instance }) => endedAt === undefined && alive.has(instance))
}

function heal(world: World): void {
  world.trace(undefined, 'all faults are over')
  world.faults.heal()
  world.queue.healedAt = world.scheduler.now
  world.server.state = 'up'
  for (let n = world.living.length; n < INSTANCES; n++) world.start()
}

/** The timer, which fires on one instance or another, and sometimes not at all. */
function sweepEvery(world: World): void {
  world.scheduler.after(SWEEP_MS, undefined, () => {
    sweepEvery(world)
    const { living, random } = world
    if (living.length === 0 || world.faults.at('sweep', ['lost']) !== undefined || missed(world)) return
    const { actor, sweep } = random.pick(living)
    world.scheduler.after(random.int(0, 1_000), actor, () =>
      sweep().catch((error: Error) => world.trace(actor, `the sweep failed: ${error.message}`)),
    )
  })
}

function missed(world: World): boolean {
  return world.scheduler.now < START_MS + HEALED_MS && world.random.chance(SWEEP_MISSED)
}

function historyOf(world: World, { missions, events, instances }: Snapshot): History {
  const { now } = world.scheduler
  return {
    missions,
    events,
    claims: [...world.effects.claims.keys()],
    living: instances.filter(({ aliveUntil }) => aliveUntil > now).map(({ id }) => id),
    toolRuns: world.toolRuns,
    requests: world.requests,
    reads: [...world.reads.values()],
    faults: world.faultLog,
    poisoned: world.queue.poisoned,
    healedAt: START_MS + HEALED_MS,
    endedAt: now,
    databaseNow: now,
  }
}

function surprises(world: World): Violation[] {
  return world.surprises.map((what) => ({ invariant: 'surprise', counts: 'illegal', what }))
}
