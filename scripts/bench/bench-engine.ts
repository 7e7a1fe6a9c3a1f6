import { v7 as uuidv7 } from 'uuid'
import { z } from 'zod'
import { createDatabases, type Databases } from '../../src/db/connection.ts'
import { Engine } from '../../src/engine/engine.ts'
import type { EngineContext } from '../../src/engine/context.ts'
import { createJournal } from '../../src/engine/postgres-journal.ts'
import { createContents, createMissions } from '../../src/engine/postgres-missions.ts'
import { systemClock } from '../../src/engine/system-clock.ts'
import type { Wakes } from '../../src/engine/ports.ts'
import { DEFAULT_TENANT, type Caller, type MissionsContext } from '../../src/missions/context.ts'
import { createMission, type NewMissionRequest } from '../../src/missions/create-mission.ts'
import type { Model, ModelMessage } from '../../src/models/model.ts'
import { createTelemetry } from '../../src/telemetry/events.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import type { Tool } from '../../src/tools/tool.ts'
import { textOf } from './payload.ts'

/** The real engine on real Postgres; the model and the tool answer at once, with a kilobyte each. */
export interface BenchEngine {
  engine: Engine
  databases: Databases
  missions: MissionsContext
  /** Creates a mission of so many steps; gives its id. */
  create(steps: number): Promise<string>
  close(): Promise<void>
}

export interface BenchHooks {
  /**
   * Called as a step's function is entered, and waited for where it gives a promise. `mission` is the first word of the goal,
   * which tells missions apart.
   */
  onStep?: (mission: string) => void | Promise<void>
  /** What a mission's first answer asks for, in place of the work. */
  firstCall?: (mission: string) => { name: string; arguments: string }
  /** Absent: no wake is sent. */
  wakes?: Wakes
}

export const BENCH_CALLER: Caller = { tenantId: DEFAULT_TENANT, name: 'bench' }

/** Of a mission of so many steps: one, or four and more. `mission` is what the hooks are told. */
export function benchRequest(mission: string, steps: number): NewMissionRequest {
  return { messages: [{ role: 'user', content: `${mission} ${steps}` }], files: [], labels: {}, priority: 0 }
}

const noWakes: Wakes = { send: async () => undefined }
const LEASE_MS = 30_000

export function createBenchEngine(url: string, hooks: BenchHooks = {}): BenchEngine {
  const databases = createDatabases({ url, pooler: undefined, onError: () => undefined })
  const db = databases.engine
  const instance = uuidv7()
  const telemetry = createTelemetry(createLogger({ level: 'error', secrets: [] }))
  const tools = new Map([['work', workTool(hooks)]])
  const engine = new Engine({
    instance,
    wakes: hooks.wakes ?? noWakes,
    clock: systemClock,
    tools,
    telemetry,
    defaultModel: 'bench',
    journal: createJournal(db, systemClock),
    missions: createMissions(db, { id: instance, version: '0', host: 'bench' }, LEASE_MS / 1000),
    contents: createContents(db, systemClock),
    effects: { claim: async () => ({ kind: 'claimed' }) },
    model: benchModel(hooks),
    sweepIfLate: async () => undefined,
    settings: { leaseMs: LEASE_MS, sliceMs: 3_600_000, concurrency: 64 },
  })
  const missions = missionsContext(databases, tools, telemetry, hooks)
  return {
    engine,
    databases,
    missions,
    create: async (steps) => {
      const { mission } = await createMission(missions, BENCH_CALLER, benchRequest(missions.newId(), steps))
      return mission.id
    },
    async close() {
      await engine.drain()
      await databases.close()
    },
  }
}

/** Calls the tool, two times in its first answer, until all steps but one are done; the last step is the final answer. */
function benchModel({ onStep, firstCall }: BenchHooks): Model {
  return {
    complete: ({ messages }) => {
      const [mission = '', count = '20'] = goalOf(messages).split(' ')
      const entered = onStep?.(mission)
      const done = messages.length - 2
      const calls = done + 1 >= Number(count) ? 0 : done === 0 && firstCall === undefined ? 2 : 1
      const call = done === 0 ? firstCall?.(mission) : undefined
      const toolCalls = Array.from({ length: calls }, (_, index) => {
        return { id: `c${done}_${index}`, name: 'work', arguments: `{"mission":"${mission}"}`, ...call }
      })
      const usage = { inputTokens: 1000, outputTokens: 200 }
      const finishReason = calls === 0 ? ('stop' as const) : ('tool_calls' as const)
      const answer = { model: 'bench', text: textOf(done), toolCalls, finishReason, usage }
      return entered === undefined ? Promise.resolve(answer) : entered.then(() => answer)
    },
  }
}

function goalOf(messages: readonly ModelMessage[]): string {
  return messages.find(({ role }) => role === 'user')?.content ?? ''
}

function workTool({ onStep }: BenchHooks): Tool<{ mission: string }> {
  let k = 0
  return {
    name: 'work',
    description: 'Works',
    input: z.object({ mission: z.string() }),
    effect: 'read',
    timeoutMs: 60_000,
    maxOutputBytes: 65_536,
    run({ mission }) {
      const result = { text: textOf(k++) }
      return onStep?.(mission)?.then(() => result) ?? Promise.resolve(result)
    },
  }
}

function missionsContext(
  databases: Databases,
  tools: Map<string, Tool>,
  telemetry: EngineContext['telemetry'],
  { wakes = noWakes, firstCall }: BenchHooks,
): MissionsContext {
  const profile = {
    description: 'For benches',
    model: {},
    instructions: 'Work.',
    tools: firstCall === undefined ? ['work'] : ['work', 'ask_user', 'wait'],
    limits: { steps: 100_000, tokens: 2_000_000_000, costUsd: '1000', wallHours: 24 },
    prices: {},
    egress: { allow: [], post: [] },
  }
  return {
    databases,
    wakes,
    telemetry,
    tools,
    profiles: new Map([['bench', profile]]),
    defaultProfile: 'bench',
    newId: () => uuidv7(),
  }
}
