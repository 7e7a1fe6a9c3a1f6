import { v7 as uuidv7 } from 'uuid'
import { z } from 'zod'
import { createDatabases } from '../../src/db/connection.ts'
import { TerminalError } from '../../src/domain/errors.ts'
import type { EngineContext } from '../../src/engine/context.ts'
import { Engine } from '../../src/engine/engine.ts'
import { createJournal } from '../../src/engine/postgres-journal.ts'
import { createContents, createMissions } from '../../src/engine/postgres-missions.ts'
import { systemClock } from '../../src/engine/system-clock.ts'
import { DEFAULT_TENANT, type MissionsContext } from '../../src/missions/context.ts'
import { createMission, type NewMissionRequest } from '../../src/missions/create-mission.ts'
import type { ModelAnswer } from '../../src/models/model.ts'
import { createTelemetry } from '../../src/telemetry/events.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import { createTools } from '../../src/tools/registry.ts'
import type { Tool } from '../../src/tools/tool.ts'
import { withClient, type BenchDatabase } from '../bench/database.ts'
import { LET_TIME_PASS } from './let-time-pass.ts'

/** What a model says at one call, or how it fails. */
export type Said = ModelAnswer | Error

/** The real engine and tools with a scripted model, on a database of its own. */
export interface Stage {
  missions: MissionsContext
  caller: { tenantId: string; name: string }
  create(goal: string, request?: Partial<NewMissionRequest>): Promise<string>
  /** Runs all that can run; the model says these in turn, whatever it is asked, and then `Done`. */
  run(...said: Said[]): Promise<void>
  /** The same, by an instance that is dead for all others once it has begun the `charge`; another one goes on. */
  runAndDie(...said: Said[]): Promise<void>
  /** An instance takes the mission up and dies before its first step. */
  crash(): Promise<void>
  /** Moves all that is known about a mission into the past, which is as good as waiting. */
  letTimePass(id: string, ms: number): Promise<void>
  close(): Promise<void>
}

const LEASE_MS = 30_000
const wakes = { send: async () => undefined }

export function openStage({ appUrl, ownerUrl }: Pick<BenchDatabase, 'appUrl' | 'ownerUrl'>): Stage {
  const databases = createDatabases({ url: appUrl, pooler: undefined, onError: () => undefined })
  const telemetry = createTelemetry(createLogger({ level: 'silent', secrets: [] }))
  const charging = Promise.withResolvers<void>()
  const charged = Promise.withResolvers<void>()
  const charge = (): Promise<void> => (charging.resolve(), charged.promise)
  const tools = new Map([...createTools(), ...ownTools(charge)])
  const missions = { ...casting(tools), databases, wakes, telemetry, newId: () => uuidv7() }
  const caller = { tenantId: DEFAULT_TENANT, name: 'somebody' }
  const parts = { telemetry, tools, wakes, clock: systemClock, defaultModel: 'scripted' }

  function engine(said: Said[]): { engine: Engine; instance: string; run(): Promise<void> } {
    const instance = uuidv7()
    const made = new Engine({ ...parts, ...ports(databases.engine, instance), model: scripted(said) })
    const run = async (): Promise<void> => {
      while ((await made.runOne()) !== undefined);
    }
    return { engine: made, instance, run }
  }
  return {
    missions,
    caller,
    async create(goal, request = {}) {
      const given = { messages: [{ role: 'user' as const, content: goal }], files: [], labels: {}, priority: 0 }
      return (await createMission(missions, caller, { ...given, ...request })).mission.id
    },
    run: (...said) => engine(said).run(),
    async runAndDie(...said) {
      const first = engine(said)
      const running = first.run().catch(() => undefined)
      await charging.promise
      await databases.engine.query(
        `update taskforce.instances set alive_until = now() - interval '1 s' where id = $1`,
        [first.instance],
      )
      await engine([]).run()
      charged.resolve()
      await running
    },
    crash: async () => void (await ports(databases.engine, uuidv7()).missions.claim(1, true)),
    letTimePass: (id, ms) =>
      withClient(ownerUrl, async (client) => void (await client.query(LET_TIME_PASS, [id, ms / 1000]))),
    close: () => databases.close(),
  }
}

type Ports = Pick<
  EngineContext,
  'instance' | 'journal' | 'missions' | 'contents' | 'effects' | 'sweepIfLate' | 'settings'
>

function ports(db: ReturnType<typeof createDatabases>['engine'], instance: string): Ports {
  return {
    instance,
    journal: createJournal(db, systemClock),
    missions: createMissions(db, { id: instance, version: '0', host: 'journals' }, LEASE_MS / 1000),
    contents: createContents(db, systemClock),
    effects: { claim: async () => ({ kind: 'claimed' }) },
    sweepIfLate: async () => undefined,
    settings: { leaseMs: LEASE_MS, sliceMs: 60_000, concurrency: 4 },
  }
}

function scripted(said: Said[]): EngineContext['model'] {
  const left = [...said]
  return {
    async complete() {
      const next = left.shift() ?? say('Done')
      if (next instanceof Error) throw next
      return next
    },
  }
}

const usage = { inputTokens: 100, outputTokens: 10 }

/** An answer that ends the mission. */
export function say(text: string, over: Partial<ModelAnswer> = {}): ModelAnswer {
  return { model: 'scripted', text, toolCalls: [], finishReason: 'stop', usage, ...over }
}

/** An answer that calls tools; arguments as an object, or as the text that a model wrote. */
export function call(...calls: [name: string, input: object | string][]): ModelAnswer {
  const toolCalls = calls.map(([name, input], index) => {
    return { id: `c${index}`, name, arguments: typeof input === 'string' ? input : JSON.stringify(input) }
  })
  return { model: 'scripted', text: '', toolCalls, finishReason: 'tool_calls', usage }
}

/** `look_up` fails with advice, `charge` acts once and takes as long as it is told. */
function ownTools(charge: () => Promise<void>): [string, Tool][] {
  const base = { description: 'Made up', input: z.looseObject({}), timeoutMs: 30_000, maxOutputBytes: 10_000 }
  const lookUp: Tool = {
    ...base,
    name: 'look_up',
    effect: 'read',
    run: async () => {
      throw new TerminalError('not_found', 'There is no such customer.', { hint: 'List them first.' })
    },
  }
  const once: Tool = {
    ...base,
    name: 'charge',
    effect: 'once',
    async run() {
      await charge()
      return { text: 'charged' }
    },
  }
  return [
    ['look_up', lookUp],
    ['charge', once],
  ]
}

function casting(tools: ReadonlyMap<string, Tool>): Pick<MissionsContext, 'tools' | 'profiles' | 'defaultProfile'> {
  const names = ['list_files', 'read_file', 'write_file', 'query_table', 'calculate', 'look_up', 'charge']
  const profile = {
    description: 'For journals',
    model: {},
    instructions: 'Do what you are told.',
    tools: [...names, 'ask_user', 'make_plan', 'wait'],
    limits: { steps: 20, tokens: 100_000, costUsd: '1.00', wallHours: 24 },
    prices: { scripted: { inputUsd: '1', outputUsd: '2' } },
    egress: { allow: [], post: [] },
  }
  return { tools, profiles: new Map([['dev', profile]]), defaultProfile: 'dev' }
}
