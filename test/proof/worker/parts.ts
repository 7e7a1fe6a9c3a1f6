import { hostname } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { createDatabases, type Databases } from '../../../src/db/connection.ts'
import { storeDeltas } from '../../../src/db/queries/deltas.ts'
import { connectEffects, createBlobEffects } from '../../../src/engine/blob-effects.ts'
import { connectQueue } from '../../../src/engine/connect-queue.ts'
import type { EngineContext } from '../../../src/engine/context.ts'
import { Deltas } from '../../../src/engine/deltas.ts'
import { Engine } from '../../../src/engine/engine.ts'
import type { Wakes } from '../../../src/engine/ports.ts'
import { createJournal } from '../../../src/engine/postgres-journal.ts'
import { createContents, createMissions } from '../../../src/engine/postgres-missions.ts'
import { createQueueWakes } from '../../../src/engine/queue-wakes.ts'
import { sweep, SWEEP_LATE_SECONDS } from '../../../src/engine/sweep.ts'
import { systemClock } from '../../../src/engine/system-clock.ts'
import type { Model } from '../../../src/models/model.ts'
import type { Telemetry } from '../../../src/telemetry/events.ts'
import type { Tool } from '../../../src/tools/tool.ts'
import { planned, plannedTools } from '../agent.ts'
import { wrapContext, wrapStatements, type Around } from './around.ts'
import { fileLedger } from './file-ledger.ts'
import type { WorkerSettings } from './settings.ts'
import { faultyWakes } from './wake-faults.ts'

/** One instance's parts, wired like `functions/app-context.ts`, with the plans' model and tools. */
export interface Parts {
  engine: Engine
  databases: Databases
  wakes: Wakes
  connect: () => ReturnType<typeof connectQueue>
  telemetry: Telemetry
  sweep(atLeastSeconds: number): Promise<unknown>
}

export function createParts(settings: WorkerSettings, telemetry: Telemetry, around: Around): Parts {
  const databases = createDatabases({
    url: settings.databaseUrl,
    pooler: undefined,
    onError: (error) => telemetry.databaseError(error),
  })
  const db = databases.engine
  wrapStatements(around, db)
  const storage = { kind: 'connection-string' } as const
  const connect = () => connectQueue(storage, settings.storageConnectionString)
  const context = createContext(settings, { db, telemetry, around, queueWakes: createQueueWakes(connect) })
  const { wakes } = context
  const sweepNow = (atLeastSeconds: number) => sweep({ db, wakes, telemetry }, atLeastSeconds)
  context.sweepIfLate = async () => void (await sweepNow(SWEEP_LATE_SECONDS))
  return { engine: new Engine(context), databases, wakes, connect, telemetry, sweep: sweepNow }
}

interface Below {
  db: Databases['engine']
  telemetry: Telemetry
  around: Around
  queueWakes: Wakes
}

function createContext(settings: WorkerSettings, { db, telemetry, around, queueWakes }: Below): EngineContext {
  const { instance, leaseMs, sliceMs, lanes, wakeFaults } = settings
  const ledger = fileLedger(settings.ledger, instance)
  const store: typeof storeDeltas = (...args) => around('deltas.store', () => storeDeltas(...args))
  const connectBlobs = () => connectEffects({ kind: 'connection-string' }, settings.storageConnectionString)
  return wrapContext(around, {
    instance,
    telemetry,
    wakes: wakeFaults === undefined ? queueWakes : faultyWakes(queueWakes, wakeFaults, ledger),
    clock: systemClock,
    tools: withFiles(plannedTools(ledger)),
    defaultModel: 'scripted',
    journal: createJournal(db, systemClock),
    missions: createMissions(db, { id: instance, version: '0', host: hostname() }, leaseMs / 1000),
    contents: createContents(db, systemClock),
    deltas: new Deltas((writes, removals) => store(db, writes, removals), systemClock),
    effects: createBlobEffects(connectBlobs),
    model: scriptedModel(settings.modelMs),
    sweepIfLate: async () => undefined,
    settings: { leaseMs, sliceMs, concurrency: lanes },
  })
}

/** `put` leaves a file behind that says which call wrote it, and `look` reads those that are there. */
function withFiles(tools: Map<string, Tool>): Map<string, Tool> {
  const alter = { put: writing, look: reading }
  return new Map(
    [...tools].map(([name, tool]) => [name, name in alter ? alter[name as keyof typeof alter](tool) : tool]),
  )
}

function writing(tool: Tool): Tool {
  return {
    ...tool,
    async run(input, context) {
      const result = await tool.run(input, context)
      const file = await context.workspace.write('put.txt', Buffer.from(result.text))
      return { ...result, files: [file] }
    },
  }
}

function reading(tool: Tool): Tool {
  return {
    ...tool,
    async run(input, context) {
      const { workspace } = context
      await Promise.all(workspace.list().map(({ name }) => workspace.read(name)))
      return tool.run(input, context)
    },
  }
}

/** Writes its text in two pieces where it takes its time, so that who reads along has something to see. */
function scriptedModel(ms: number): Model {
  return {
    async complete({ messages }, { signal, onText }) {
      const answer = planned(messages)
      onText?.(answer.text.slice(0, 4))
      if (ms > 0) await delay(ms * 0.8, undefined, { signal })
      onText?.(answer.text.slice(4))
      if (ms > 0) await delay(ms * 0.2, undefined, { signal })
      signal.throwIfAborted()
      return answer
    },
  }
}
