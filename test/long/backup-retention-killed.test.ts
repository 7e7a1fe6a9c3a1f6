import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { addContent, addEnded, addTenant, brokenMissions, OTHER_TENANT, rowsOf } from '../support/ended-missions.ts'
import { createWorld, until, type World } from '../support/engine.ts'
import { DEFAULT_TENANT } from '../../src/missions/context.ts'

const SCRIPT = fileURLToPath(new URL('../support/retain-process.ts', import.meta.url))
let world: World
beforeEach(async () => (world = await createWorld()))
afterEach(() => world.stop())

/** Starts a run and kills it so long after its first statement, if it is not done by then. Gives whether it was killed. */
async function runKilledAfter(ms: number): Promise<boolean> {
  const child = fork(SCRIPT, [world.database.appUrl], { execArgv: ['--disable-warning=ExperimentalWarning'] })
  const exited = once(child, 'exit')
  await once(child, 'message')
  const timer = setTimeout(() => child.kill('SIGKILL'), ms)
  const [, signal] = (await exited) as [number | null, string | null]
  clearTimeout(timer)
  // The server notices by itself that nobody is there any more, and rolls back.
  const sessions = `select from pg_stat_activity where datname = current_database() and application_name = 'taskforce-engine'`
  await until(async () => (await world.sql(sessions)).length === 0)
  return signal === 'SIGKILL'
}

it('a run that is killed at any moment leaves whole missions, and the next ones go on to the end', async () => {
  const { sql } = world
  await addTenant(sql)
  const kept = await addEnded(sql, { tenantId: DEFAULT_TENANT, days: 3, count: 20, events: 30 })
  await addEnded(sql, { tenantId: DEFAULT_TENANT, days: 40, count: 300, events: 30 })
  await addEnded(sql, { tenantId: DEFAULT_TENANT, days: 50, events: 30_000 })
  await addEnded(sql, { tenantId: OTHER_TENANT, days: 3, count: 200, events: 30 })
  for (let n = 0; n < 20; n++) await addContent(sql, OTHER_TENANT, `file ${n}`, 2)
  await sql('update taskforce.tenants set deleted_at = now() where id = $1', [OTHER_TENANT])
  const counts: number[] = []
  const count = async () => (await sql<{ n: number }>('select count(*)::int as n from taskforce.events'))[0]?.n ?? 0
  const before = await count()
  let kills = 0
  for (let ms = 3; ; ms = Math.min(ms * 2, 200) + (kills % 7)) {
    const killed = await runKilledAfter(ms)
    expect(await brokenMissions(sql)).toEqual([])
    counts.push(await count())
    if (!killed) break
    kills++
  }
  // Some of the kills fell into the work: the journals went little by little.
  expect(new Set(counts.filter((events) => events < before && events > 600)).size).toBeGreaterThan(1)
  expect((await sql<{ id: string }>('select id from taskforce.missions')).map(({ id }) => id).sort()).toEqual(
    kept.sort(),
  )
  expect(Object.values(await rowsOf(sql, OTHER_TENANT))).toEqual([0, 0, 0, 0, 0, 0, 0, 0])
  expect(await sql('select from taskforce.tenants')).toHaveLength(1)
}, 120_000)
