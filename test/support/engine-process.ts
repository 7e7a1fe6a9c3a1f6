/** One instance of the engine in a process of its own, for tests that stop or kill it. Started by `startEngineProcess`. */
import { z } from 'zod'
import { createDatabases } from '../../src/db/connection.ts'
import { Engine } from '../../src/engine/engine.ts'
import { createJournal } from '../../src/engine/postgres-journal.ts'
import { createContents, createMissions } from '../../src/engine/postgres-missions.ts'
import { systemClock } from '../../src/engine/system-clock.ts'
import type { Telemetry } from '../../src/telemetry/events.ts'
import type { Tool, ToolContext } from '../../src/tools/tool.ts'
import { memoryEffects } from './effects.ts'
import { modelOfGoals } from './goal-script.ts'

export interface ProcessSettings {
  url: string
  instance: string
  leaseMs: number
  /** How far this process's wall clock is wrong. */
  skewMs: number
}

export type Order = { order: 'run' } | { order: 'go' }

export type Said =
  | { said: 'ready' }
  | { said: 'lost' }
  | { said: 'slice'; end: string | undefined }
  | { said: 'begun' | 'ended' | 'aborted'; key: string }

const settings = JSON.parse(process.argv[2] ?? '{}') as ProcessSettings
const say = (said: Said) => process.send?.(said)
let go = Promise.withResolvers<void>()

function createEngine(): Engine {
  const { url, instance, leaseMs } = settings
  const { engine: db } = createDatabases({ url, pooler: undefined, onError: () => undefined })
  return new Engine({
    instance,
    clock: systemClock,
    journal: createJournal(db, systemClock),
    missions: createMissions(db, { id: instance, version: '0', host: 'test' }, leaseMs / 1000),
    contents: createContents(db, systemClock),
    effects: memoryEffects(),
    wakes: { send: async () => undefined },
    tools: new Map([hold, busy, freeze].map((one) => [one.name, one])),
    telemetry: telemetry(),
    defaultModel: 'scripted',
    model: { complete: async ({ messages }) => modelOfGoals(messages) },
    sweepIfLate: async () => undefined,
    settings: { leaseMs, sliceMs: 60_000, concurrency: 32 },
  })
}

/** Runs until the test says so. */
const hold = toolThat('hold', async ({ key, signal }) => {
  signal.addEventListener('abort', () => say({ said: 'aborted', key }))
  await go.promise
})

/** Blocks the event loop for longer than a lease: no timer fires meanwhile, and no answer is read. */
const busy = toolThat('busy', async () => {
  await new Promise((resolve) => setTimeout(resolve, 50))
  const until = performance.now() + settings.leaseMs * 2.5
  while (performance.now() < until);
})

/** Stops the whole process with the result in its hands: when it goes on, that is sent before any timer has had its turn. */
const freeze = toolThat('freeze', async () => {
  await new Promise((resolve) => setTimeout(resolve, 50))
  process.kill(process.pid, 'SIGSTOP')
})

function toolThat(name: string, work: (context: ToolContext) => Promise<void>): Tool {
  return {
    name,
    description: name,
    input: z.looseObject({}),
    effect: 'idempotent',
    timeoutMs: 60_000,
    maxOutputBytes: 1_000,
    async run(_, context) {
      say({ said: 'begun', key: context.key })
      await work(context)
      say({ said: 'ended', key: context.key })
      return { text: 'ok' }
    },
  }
}

function telemetry(): Telemetry {
  return new Proxy({} as Telemetry, {
    get: (_, name) => () => (name === 'leaseLost' ? say({ said: 'lost' }) : undefined),
  })
}

function skewClock(ms: number): void {
  const { now } = Date
  Date.now = () => now() + ms
  globalThis.Date = class extends Date {
    constructor(...given: [] | [string | number | Date]) {
      super(given.length === 0 ? now() + ms : given[0])
    }
  } as DateConstructor
}

skewClock(settings.skewMs)
const engine = createEngine()
process.on('message', ({ order }: Order) => {
  if (order === 'go') {
    go.resolve()
    go = Promise.withResolvers()
    return
  }
  void engine.runOne().then(
    (slice) => say({ said: 'slice', end: slice?.end }),
    (error: Error) => say({ said: 'slice', end: error.message }),
  )
})
process.on('disconnect', () => process.exit())
say({ said: 'ready' })
