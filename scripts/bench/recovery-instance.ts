/** One instance of the engine for the bench `recovery`, in a process that can be killed: URL, lease and ms a step as arguments. */
import { setTimeout as delay } from 'node:timers/promises'
import { v7 as uuidv7 } from 'uuid'
import { z } from 'zod'
import { createDatabases } from '../../src/db/connection.ts'
import { Engine } from '../../src/engine/engine.ts'
import { createJournal } from '../../src/engine/postgres-journal.ts'
import { createContents, createMissions } from '../../src/engine/postgres-missions.ts'
import { systemClock } from '../../src/engine/system-clock.ts'
import type { Model } from '../../src/models/model.ts'
import { createTelemetry } from '../../src/telemetry/events.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import { KEEPER_STEPS } from './recovery.ts'

const [url = '', lease = '', step = ''] = process.argv.slice(2)
const leaseMs = Number(lease)
const stepMs = Number(step)
/** Of the mission that keeps an instance awake: longer than any round. */
const KEEPER_MS = 600_000

const { engine: db } = createDatabases({ url, pooler: undefined, onError: () => undefined })
const instance = uuidv7()

const model: Model = {
  complete: async ({ messages }, { signal }) => {
    const goal = messages.find(({ role }) => role === 'user')?.content ?? ''
    const steps = Number(goal.split(' ')[1])
    await delay(steps === KEEPER_STEPS ? KEEPER_MS : stepMs, undefined, { signal })
    const toolCalls = messages.length > steps ? [] : [{ id: `c${messages.length}`, name: 'work', arguments: '{}' }]
    const finishReason = toolCalls.length === 0 ? ('stop' as const) : ('tool_calls' as const)
    const usage = { inputTokens: 1000, outputTokens: 200 }
    return { model: 'bench', text: 'Going on', toolCalls, finishReason, usage }
  },
}

const work = {
  name: 'work',
  description: 'Works',
  input: z.looseObject({}),
  effect: 'read' as const,
  timeoutMs: 60_000,
  maxOutputBytes: 65_536,
  run: async () => ({ text: 'Worked' }),
}

const engine = new Engine({
  instance,
  wakes: { send: async () => undefined },
  clock: systemClock,
  tools: new Map([['work', work]]),
  telemetry: createTelemetry(createLogger({ level: 'fatal', secrets: [] })),
  defaultModel: 'bench',
  journal: createJournal(db, systemClock),
  missions: createMissions(db, { id: instance, version: '0', host: 'bench' }, leaseMs / 1000),
  contents: createContents(db, systemClock),
  effects: { claim: async () => ({ kind: 'claimed' }) },
  model,
  sweepIfLate: async () => undefined,
  settings: { leaseMs, sliceMs: 3_600_000, concurrency: 32 },
})

process.on('message', () => void engine.runOne().catch(() => undefined))
process.on('disconnect', () => process.exit())
process.send?.('ready')
