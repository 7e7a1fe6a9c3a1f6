import { v7 as uuidv7 } from 'uuid'
import { z } from 'zod'
import type { ProfileFile } from '../../src/config/profile-file.ts'
import { createDatabases, type Databases, type EngineDb } from '../../src/db/connection.ts'
import { appendUnderLeases, recordedEvents, type Lease, type Transition } from '../../src/db/queries/append-events.ts'
import { claimMissions, type Claim } from '../../src/db/queries/claim-mission.ts'
import { storable } from '../../src/db/queries/storable.ts'
import type { EventDraft, EventType, MissionEvent } from '../../src/domain/event.ts'
import type { EngineContext } from '../../src/engine/context.ts'
import { Engine } from '../../src/engine/engine.ts'
import type { Clock, Wakes } from '../../src/engine/ports.ts'
import { createJournal } from '../../src/engine/postgres-journal.ts'
import { createContents, createMissions } from '../../src/engine/postgres-missions.ts'
import { systemClock } from '../../src/engine/system-clock.ts'
import { DEFAULT_TENANT, type Caller, type MissionsContext } from '../../src/missions/context.ts'
import { createMission, type NewMissionRequest } from '../../src/missions/create-mission.ts'
import type { ModelAnswer, ModelMessage } from '../../src/models/model.ts'
import type { Telemetry } from '../../src/telemetry/events.ts'
import type { Tool, ToolContext, ToolResult } from '../../src/tools/tool.ts'
import { memoryEffects, type MemoryEffects } from './effects.ts'
import { LET_TIME_PASS } from '../../scripts/journals/let-time-pass.ts'
import { createTestDatabase, withConnection, type TestDatabase } from './postgres.ts'

/** A model as a function of what it has been told; it may throw, wait, or answer at once. */
export type Script = (messages: ModelMessage[], signal: AbortSignal) => ModelAnswer | Promise<ModelAnswer>

export interface SentWake {
  missionId: string
  inSeconds: number
}

export interface RecordedWakes extends Wakes {
  sent: SentWake[]
}

/** An engine with its own pool, as one instance of the app has it. */
export interface TestEngine {
  engine: Engine
  instance: string
  db: EngineDb
  /** Names, or else the texts, of the statements so far. */
  statements: string[]
  wakes: RecordedWakes
  /** What was told to the telemetry, by function. */
  told: { [K in keyof Telemetry]?: Parameters<Telemetry[K]>[] }
  /** Runs slices until nothing can be claimed; how each ended. */
  run(): Promise<string[]>
}

export interface EngineOptions {
  model?: Script
  leaseMs?: number
  sliceMs?: number
  concurrency?: number
  /** By way of a proxy, for example. */
  url?: string
  /** Of everything that waits, also for the database; the system's by default. */
  clock?: Clock
  /** Changes parts of the engine's context, to hold or break a port. */
  over?: (context: EngineContext) => Partial<EngineContext>
}

export interface World {
  database: TestDatabase
  missions: MissionsContext
  caller: Caller
  /** Outside of the database, as the real ones are; shared by all engines. */
  effects: MemoryEffects
  engine(options?: EngineOptions): TestEngine
  /** Through the real use case; gives the id. */
  create(goal?: string, request?: Partial<NewMissionRequest>): Promise<string>
  events(id: string): Promise<(MissionEvent & { epoch: number })[]>
  types(id: string): Promise<EventType[]>
  row(id: string): Promise<MissionRowNow>
  /** As the database's owner. */
  sql<T extends object>(text: string, values?: unknown[]): Promise<T[]>
  /** Moves everything that is known about a mission into the past, which is as good as waiting. */
  letTimePass(id: string, ms: number): Promise<void>
  /** Lets an instance be dead for everyone, whatever it believes. */
  expire(instance: string): Promise<void>
  stop(): Promise<void>
}

export interface MissionRowNow {
  status: string
  epoch: number
  owner: string | null
  /** Milliseconds until `wake_at`. */
  wakeInMs: number | null
  inbox: number
  crashes: number
  summary: Record<string, unknown>
}

/** Claims one mission, past the engine. */
export async function claimOne(db: EngineDb, instance: string): Promise<Claim | undefined> {
  const [claim] = await claimMissions(db, instance, 1)
  return claim
}

/** Appends past the engine and its writer: the events as they were recorded, or undefined. */
export async function appendAlone(
  db: EngineDb,
  lease: Lease,
  afterSeq: number,
  events: readonly EventDraft[],
  change?: Transition,
): Promise<MissionEvent[] | undefined> {
  const written = events.map(storable)
  const [times] = await appendUnderLeases(db, [{ lease, afterSeq, events: written, change }])
  return times && recordedEvents(written, afterSeq, times)
}

/** A database of its own with everything that missions need; `tools` are all in the profile `dev`. */
export async function createWorld(tools: Tool[] = []): Promise<World> {
  const database = await createTestDatabase()
  const databases = openDatabases(database.appUrl)
  const opened: Databases[] = [databases]
  const engines: TestEngine[] = []
  const missions: MissionsContext = {
    databases,
    wakes: recordWakes(),
    telemetry: recordTelemetry({}),
    tools: new Map(tools.map((one) => [one.name, one])),
    profiles: new Map([['dev', profileWith(tools)]]),
    defaultProfile: 'dev',
    newId: () => uuidv7(),
  }
  const caller = { tenantId: DEFAULT_TENANT, name: 'tester' }
  const effects = memoryEffects()
  const sql: World['sql'] = (text, values) =>
    withConnection(database.ownerUrl, async (client) => (await client.query(text, values)).rows)

  async function events(id: string): Promise<(MissionEvent & { epoch: number })[]> {
    return sql(EVENTS, [id])
  }
  return {
    database,
    missions,
    caller,
    effects,
    events,
    sql,
    engine(options = {}) {
      const own = openDatabases(options.url ?? database.appUrl)
      opened.push(own)
      const made = makeEngine(own.engine, { tools: missions.tools, effects }, options)
      engines.push(made)
      return made
    },
    async create(goal = 'Do it', request = {}) {
      const given = { messages: [{ role: 'user' as const, content: goal }], files: [], labels: {}, priority: 0 }
      return (await createMission(missions, caller, { ...given, ...request })).mission.id
    },
    types: async (id) => (await events(id)).map(({ type }) => type),
    row: async (id) => (await sql<MissionRowNow>(ROW, [id]))[0] as MissionRowNow,
    letTimePass: async (id, ms) => void (await sql(LET_TIME_PASS, [id, ms / 1000])),
    expire: async (instance) =>
      void (await sql(`update taskforce.instances set alive_until = now() - interval '1 s' where id = $1`, [instance])),
    async stop() {
      await Promise.allSettled(engines.map(({ engine }) => engine.drain()))
      await Promise.all(opened.map((pools) => pools.close()))
      await database.drop()
    },
  }
}

const EVENTS = `
  select seq, epoch, type, data, (extract(epoch from at) * 1000)::float8 as at
  from taskforce.events where mission_id = $1 order by seq`

const ROW = `
  select status, epoch, owner, inbox, crashes, summary,
    (extract(epoch from wake_at - now()) * 1000)::float8 as "wakeInMs"
  from taskforce.missions where id = $1`

function openDatabases(url: string): Databases {
  return createDatabases({ url, pooler: undefined, onError: () => undefined })
}

function makeEngine(
  db: EngineDb,
  { tools, effects }: Pick<EngineContext, 'tools' | 'effects'>,
  options: EngineOptions,
): TestEngine {
  const { leaseMs = 30_000, sliceMs = 60_000, concurrency = 32 } = options
  const { model = () => say('Done'), clock = systemClock } = options
  const instance = uuidv7()
  const statements = watchStatements(db)
  const wakes = recordWakes()
  const told: TestEngine['told'] = {}
  const context: EngineContext = {
    instance,
    wakes,
    clock,
    tools,
    telemetry: recordTelemetry(told),
    defaultModel: 'scripted',
    journal: createJournal(db, clock),
    missions: createMissions(db, { id: instance, version: '0', host: 'test' }, leaseMs / 1000),
    contents: createContents(db, clock),
    effects,
    model: { complete: async (request, { signal }) => model(request.messages, signal) },
    sweepIfLate: async () => undefined,
    settings: { leaseMs, sliceMs, concurrency },
  }
  const engine = new Engine({ ...context, ...options.over?.(context) })
  async function run(): Promise<string[]> {
    const ends: string[] = []
    for (let slice = await engine.runOne(); slice !== undefined; slice = await engine.runOne()) ends.push(slice.end)
    return ends
  }
  return { engine, instance, db, statements, wakes, told, run }
}

function watchStatements(db: EngineDb): string[] {
  const statements: string[] = []
  const query = db.query.bind(db) as (...args: unknown[]) => unknown
  db.query = ((first: string | { name?: string; text: string }, ...rest: unknown[]) => {
    statements.push(typeof first === 'string' ? first : (first.name ?? first.text))
    return query(first, ...rest)
  }) as typeof db.query
  return statements
}

export function recordWakes(): RecordedWakes {
  const sent: SentWake[] = []
  return { sent, send: async (missionId, inSeconds) => void sent.push({ missionId, inSeconds }) }
}

/** Telemetry that keeps what it is told, by function. */
export function recordTelemetry(told: TestEngine['told']): Telemetry {
  return new Proxy({} as Telemetry, {
    get:
      (_, name: keyof Telemetry) =>
      (...args: unknown[]) => {
        const list = (told[name] ??= []) as unknown[]
        list.push(args)
      },
  })
}

function profileWith(tools: Tool[]): ProfileFile {
  return {
    description: 'For tests',
    model: {},
    instructions: 'Do what you are told.',
    tools: [...tools.map(({ name }) => name), 'ask_user', 'make_plan', 'wait'],
    limits: { steps: 50, tokens: 100_000, costUsd: '1.00', wallHours: 24 },
    prices: { scripted: { inputUsd: '1', outputUsd: '2' } },
    egress: { allow: [], post: [] },
  }
}

/** A tool that takes anything and does what it is told. */
export function tool(
  name: string,
  run: (input: Record<string, unknown>, context: ToolContext) => string | ToolResult | Promise<string | ToolResult>,
  over: Partial<Tool> = {},
): Tool {
  return {
    name,
    description: name,
    input: z.looseObject({}),
    effect: 'read',
    timeoutMs: 10_000,
    maxOutputBytes: 10_000,
    ...over,
    run: async (input, context) => {
      const result = await run(input as Record<string, unknown>, context)
      return typeof result === 'string' ? { text: result } : result
    },
  }
}

const usage = { inputTokens: 100, outputTokens: 10 }

/** An answer that ends the mission. */
export function say(text: string): ModelAnswer {
  return { model: 'scripted', text, toolCalls: [], finishReason: 'stop', usage }
}

/** An answer that calls tools, with ids `c0`, `c1` and so on. */
export function callTools(...calls: [name: string, input?: unknown][]): ModelAnswer {
  const toolCalls = calls.map(([name, input = {}], index) => {
    return { id: `c${index}`, name, arguments: typeof input === 'string' ? input : JSON.stringify(input) }
  })
  return { model: 'scripted', text: '', toolCalls, finishReason: 'tool_calls', usage }
}

/** A model that gives these answers in turn, by how often it has answered in the conversation, and then says `Done`. */
export function script(...answers: (ModelAnswer | (() => ModelAnswer | Promise<ModelAnswer>))[]): Script {
  return (messages) => {
    const next = answers[messages.filter(({ role }) => role === 'assistant').length] ?? say('Done')
    return typeof next === 'function' ? next() : next
  }
}

/** A place where work stops until the test lets it go on. */
export function gate(): { reached: Promise<void>; pass: () => Promise<void>; open: () => void } {
  const arrived = Promise.withResolvers<void>()
  const opened = Promise.withResolvers<void>()
  return {
    reached: arrived.promise,
    pass: () => {
      arrived.resolve()
      return opened.promise
    },
    open: opened.resolve,
  }
}

/** Asks again until the answer is yes; the test's own time limit ends it. */
export async function until(check: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await check())) await new Promise((resolve) => setTimeout(resolve, 20))
}
