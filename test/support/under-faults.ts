import { expect } from 'vitest'
import type { EngineDb } from '../../src/db/connection.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { callTools, script, tool, until, type Script, type World } from './engine.ts'

/** Keeps an engine busy as a queue does: whoever fails or finds nothing comes again a moment later. */
export function startLanes(engine: Engine, lanes: number): { stop(): Promise<void> } {
  const stopped = new AbortController()
  async function lane(): Promise<void> {
    while (!stopped.signal.aborted) {
      const slice = await engine.runOne().catch(() => undefined)
      if (slice === undefined) await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
  const working = Array.from({ length: lanes }, lane)
  return {
    async stop() {
      stopped.abort()
      await Promise.all(working)
    },
  }
}

/** Collects the codes of the errors that statements of a pool end with, so that a test can tell that its fault happened. */
export function watchErrors(db: EngineDb): Set<string> {
  const codes = new Set<string>()
  const query = db.query.bind(db) as (...args: unknown[]) => Promise<unknown>
  db.query = ((...args: unknown[]) => {
    const result = query(...args)
    result.catch((error: { code?: string; message: string }) => codes.add(error.code ?? error.message))
    return result
  }) as typeof db.query
  return codes
}

/** A tool that may be repeated and counts, by mission and call, how often it was. */
export function countingTool(pauseMs = 20) {
  const runs = new Map<string, number>()
  const count = tool(
    'count',
    async (_, { key }) => {
      runs.set(key, (runs.get(key) ?? 0) + 1)
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
      return 'counted'
    },
    { effect: 'idempotent' },
  )
  return { count, runs }
}

/** A model that asks for one call of `count` in each of so many turns, and then ends. */
export function counting(turns: number): Script {
  return script(...Array.from({ length: turns }, () => callTools(['count'])))
}

export async function allCompleted(world: World): Promise<void> {
  await until(async () => {
    const open = await world
      .sql(`select from taskforce.missions where status not in ('completed', 'failed', 'cancelled')`)
      .catch(() => undefined)
    return open?.length === 0
  })
}

/** Every mission of `counting(turns)` is complete and recorded each step exactly once. */
export async function expectWholeJournals(world: World, ids: readonly string[], turns: number): Promise<void> {
  const gaps = 'select mission_id from taskforce.events group by mission_id having max(seq) <> count(*)'
  expect(await world.sql(gaps)).toEqual([])
  const steps = Array.from({ length: turns }, () => ['model.answered', 'tool.finished']).flat()
  const whole = ['mission.created', 'mission.started', ...steps, 'model.answered', 'mission.completed']
  for (const id of ids) {
    expect(await world.types(id)).toEqual(whole)
    expect(await world.row(id)).toMatchObject({ status: 'completed', owner: null, crashes: 0 })
  }
}

/** Two connections of an engine are all it may need. */
export async function expectFewConnections(world: World): Promise<void> {
  const rows = await world.sql<{ n: number }>(
    `select count(*)::int as n from pg_stat_activity
     where datname = current_database() and application_name = 'taskforce-engine'`,
  )
  expect(rows[0]?.n).toBeLessThanOrEqual(2)
}
