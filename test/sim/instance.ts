import { storeDeltas } from '../../src/db/queries/deltas.ts'
import { RetryableError } from '../../src/domain/errors.ts'
import { Deltas } from '../../src/engine/deltas.ts'
import { Engine } from '../../src/engine/engine.ts'
import { takeUpPoisoned } from '../../src/engine/poisoned-wake.ts'
import { createJournal } from '../../src/engine/postgres-journal.ts'
import { createContents, createMissions } from '../../src/engine/postgres-missions.ts'
import { sweep, SWEEP_LATE_SECONDS } from '../../src/engine/sweep.ts'
import type { MissionsContext } from '../../src/missions/context.ts'
import type { Model } from '../../src/models/model.ts'
import type { Telemetry } from '../../src/telemetry/events.ts'
import { planned, plannedTools } from '../proof/agent.ts'
import { simPools, type SimPools } from './pool.ts'
import { PROFILES } from './profiles.ts'
import { as, type Actor } from './scheduler.ts'
import { simClock, sleep } from './virtual-time.ts'
import { BY_TOOL } from './endings.ts'
import type { World } from './world.ts'

const SLICE_MS = 240_000
/** Of the model's answer: mostly a second, and now and then longer than a lease. */
const LONGEST_ANSWER_MS = 60_000
const MODEL_FAULTS = ['before', 'after', 'may-pass', 'slow'] as const
const TOOL_FAULTS = ['before', 'after'] as const

/** One process of the app: the real engine and the real use cases, on ports that are the simulation's. */
export interface SimInstance {
  id: string
  actor: Actor
  engine: Engine
  missions: MissionsContext
  /** Takes nothing more, and goes when what it does has ended. */
  draining: boolean
  work(missionId: string): Promise<void>
  poisoned(missionId: string): Promise<void>
  sweep(): Promise<void>
  drain(): void
}

export function startInstance(world: World): SimInstance {
  const { server, scheduler, random } = world
  const id = random.uuid()
  const actor: Actor = { name: `i${world.instances.length}`, dead: false, frozenUntil: 0, skewMs: world.skew() }
  const pools = simPools(server, actor)
  world.onDeath(actor, () => {
    // What a lost machine held open is noticed by the server some time later; a killed process's at once.
    const noticedAfter = random.chance(0.5) ? random.int(0, 5) : random.int(0, 15_000)
    scheduler.after(noticedAfter, undefined, () => pools.abandon())
  })
  const wakes = world.queue.wakesOf(actor)
  const telemetry = tellTrace(world, actor)
  const engine = createEngine(world, { id, actor, pools, wakes, telemetry })
  const instance: SimInstance = {
    id,
    actor,
    engine,
    draining: false,
    missions: {
      databases: { api: pools.api, engine: pools.engine, close: async () => undefined },
      wakes,
      telemetry,
      tools: world.toolList,
      profiles: PROFILES,
      defaultProfile: 'model',
      newId: () => random.uuid(),
    },
    work: async () => void (await engine.runOne()),
    poisoned: (missionId) => takeUpPoisoned({ db: pools.engine, wakes, telemetry }, { missionId }),
    sweep: async () => void (await sweep({ db: pools.engine, wakes, telemetry })),
    drain() {
      instance.draining = true
      const failed = (error: unknown) => telemetry.shutdownFailed(error)
      as(
        actor,
        () =>
          void engine
            .drain()
            .catch(failed)
            .finally(() => world.kill(actor, 'drained')),
      )
    },
  }
  world.trace(actor, `starts as ${id}`)
  return instance
}

interface Parts {
  id: string
  actor: Actor
  pools: SimPools
  wakes: MissionsContext['wakes']
  telemetry: Telemetry
}

function createEngine(world: World, { id, actor, pools, wakes, telemetry }: Parts): Engine {
  const clock = simClock(world.scheduler, actor)
  const db = pools.engine
  const { leaseMs } = world.settings
  return new Engine({
    instance: id,
    wakes,
    clock,
    telemetry,
    tools: toolsOf(world, id, actor),
    defaultModel: 'scripted',
    journal: createJournal(db, clock),
    missions: createMissions(db, { id, version: '0', host: 'sim' }, leaseMs / 1000),
    contents: createContents(db, clock),
    deltas: new Deltas((writes, removals) => storeDeltas(db, writes, removals), clock),
    effects: world.effects.of(actor),
    model: modelOf(world, actor),
    sweepIfLate: async () => void (await sweep({ db, wakes, telemetry }, SWEEP_LATE_SECONDS)),
    settings: { leaseMs, sliceMs: SLICE_MS, concurrency: 8 },
  })
}

function modelOf(world: World, actor: Actor): Model {
  const { scheduler, random, server } = world
  return {
    async complete({ messages }, { signal, onText }) {
      const fault = actor.dead ? undefined : server.faults.at(`${actor.name} model`, MODEL_FAULTS)
      if (fault === 'before') server.kill(actor, 'before the model')
      onText?.('So ')
      await sleep(
        scheduler,
        actor,
        fault === 'slow' ? random.int(1_000, LONGEST_ANSWER_MS) : random.skewed(3_000),
        signal,
      )
      signal.throwIfAborted()
      if (fault === 'after') server.kill(actor, 'after the model')
      if (fault === 'may-pass') throw new RetryableError('rate_limited', 'It is busy.', { retryAfterMs: 1_000 })
      const answer = planned(messages)
      // No model says the same thing twice: what was recorded once has to stay (fault F43).
      return { ...answer, text: `${answer.text} (${random.int(0, 999_999)})` }
    },
  }
}

function toolsOf(world: World, instance: string, actor: Actor) {
  const { scheduler, server, toolRuns } = world
  return plannedTools({
    instance,
    now: () => scheduler.now,
    sleep: (ms, signal) => sleep(scheduler, actor, ms, signal),
    begin(run) {
      const fault = actor.dead ? undefined : server.faults.at(`${actor.name} ${run.tool}`, TOOL_FAULTS)
      if (fault === 'before') server.kill(actor, `before ${run.tool}`)
      if (actor.dead) return
      world.trace(actor, `begins ${run.tool} ${run.missionId}/${run.key}`)
      toolRuns.push(run)
      if (fault === 'after') server.kill(actor, `in ${run.tool}`)
    },
    die: () => server.kill(actor, BY_TOOL),
    end(run) {
      if (actor.dead) return
      world.trace(actor, `ends ${run.tool} ${run.missionId}/${run.key}: ${run.outcome}`)
      const begun = toolRuns.findLast(
        (one) => one.missionId === run.missionId && one.key === run.key && one.instance === instance,
      )
      Object.assign(begun ?? run, run)
    },
  })
}

/** What the app would log, as lines of the trace. */
function tellTrace(world: World, actor: Actor): Telemetry {
  return new Proxy({} as Telemetry, {
    get:
      (_, name: string) => (about?: { missionId?: string; error?: unknown }, event?: { seq: number; type: string }) =>
        world.tells(actor, name, about, event),
  })
}
