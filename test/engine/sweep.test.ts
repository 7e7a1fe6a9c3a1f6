import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { EngineDb } from '../../src/db/connection.ts'
import { beat } from '../../src/db/queries/instances.ts'
import { beginSweep, findDue, sweepAge } from '../../src/db/queries/sweep.ts'
import { sweep, SWEEP_LATE_SECONDS } from '../../src/engine/sweep.ts'
import { claimOne, createWorld, recordTelemetry, recordWakes, type World } from '../support/engine.ts'
import { withConnection } from '../support/postgres.ts'

let world: World
let db: EngineDb

beforeAll(async () => {
  world = await createWorld()
  db = world.missions.databases.engine
})
afterAll(() => world.stop())
beforeEach(async () => {
  await world.sql(`update taskforce.missions set wake_at = null, owner = null`)
  await world.sql(`delete from taskforce.facts`)
})

/** A mission that is due in so many seconds. */
async function due(inSeconds: number): Promise<string> {
  const id = await world.create(`due in ${inSeconds} s`)
  await world.sql('update taskforce.missions set wake_at = now() + make_interval(secs => $2) where id = $1', [
    id,
    inSeconds,
  ])
  return id
}

const run = async (wakes = recordWakes()) => ({
  ...(await sweep({ db, wakes, telemetry: recordTelemetry({}) })),
  wakes,
})

describe('an instance that claims', () => {
  /** Runs whatever may move, on an engine that looks after sweeps as the app's does. */
  async function wake() {
    const sent = recordWakes()
    const { run: runAll, engine } = world.engine({
      over: ({ telemetry }) => ({
        sweepIfLate: async () => void (await sweep({ db, wakes: sent, telemetry }, SWEEP_LATE_SECONDS)),
      }),
    })
    await runAll()
    await engine.drain()
    return sent.sent
  }

  it('sweeps where no timer did for two minutes', async () => {
    await run()
    const soon = await due(40)
    expect(await wake()).toEqual([])
    await world.sql(`update taskforce.facts set at = now() - interval '121 s'`)
    expect((await wake()).map(({ missionId }) => missionId)).toEqual([soon])
    expect(await wake()).toEqual([])
  })
})

describe('a sweep', () => {
  it('wakes what is due before the next one, each at its time, what waits longest first', async () => {
    const [later, soon, now, long] = [await due(120), await due(40), await due(-1), await due(-600)]
    const { wakes } = await run()
    expect(wakes.sent.map(({ missionId }) => missionId)).toEqual([long, now, soon])
    expect(wakes.sent.slice(0, 2).map(({ inSeconds }) => inSeconds)).toEqual([0, 0])
    expect(wakes.sent[2]?.inSeconds).toSatisfy(
      (seconds: number) => Number.isInteger(seconds) && seconds > 20 && seconds <= 40,
    )
    expect(wakes.sent).not.toContainEqual(expect.objectContaining({ missionId: later }))
  })

  it('wakes missions of dead owners, and leaves those of living ones alone', async () => {
    const [dead, living] = [randomUUID(), randomUUID()]
    for (const id of [dead, living]) await beat(db, { id, version: '0', host: 'test' }, 60)
    const [first, second] = [await due(-2), await due(-1)]
    await claimOne(db, dead)
    await claimOne(db, living)
    await world.expire(dead)
    const { wakes } = await run()
    expect(wakes.sent).toEqual([{ missionId: first, inSeconds: 0 }])
    expect(await world.row(second)).toMatchObject({ owner: living })
  })

  it('leaves alone what waits for a person without end, and what has ended', async () => {
    await world.create()
    await world.sql('update taskforce.missions set wake_at = null')
    expect(await run()).toMatchObject({ due: 0 })
  })

  it('is done by one of ten callers at a time', async () => {
    const begun = await Promise.all(Array.from({ length: 10 }, () => beginSweep(db, 60)))
    expect(begun.filter(Boolean)).toHaveLength(1)
    expect(await beginSweep(db, 60)).toBe(false)
    await world.sql(`update taskforce.facts set at = at - interval '61 s'`)
    expect(await sweepAge(db)).toBeGreaterThan(60_000)
    expect(await beginSweep(db, 60)).toBe(true)
  })

  it('takes no more than it is told, those that wait longest', async () => {
    const ids = [await due(-3), await due(-2), await due(-1)]
    expect((await findDue(db, 60, 2)).map(({ missionId }) => missionId)).toEqual(ids.slice(0, 2))
  })

  it('forgets instances that died long ago, and never one that lives', async () => {
    const living = randomUUID()
    await beat(db, { id: living, version: '0', host: 'test' }, 60)
    await world.sql(
      `insert into taskforce.instances values (gen_random_uuid(), now() - interval '2 h', now(), '0', 'h')`,
    )
    await run()
    const ids = (await world.sql<{ id: string }>('select id from taskforce.instances')).map(({ id }) => id)
    expect(ids).toContain(living)
    expect(await world.sql(`select from taskforce.instances where alive_until < now() - interval '1 h'`)).toEqual([])
  })

  it('removes what was left behind of answers and of readers, and neither fresh nor busy rows', async () => {
    await world.sql(
      `insert into taskforce.deltas (mission_id, tenant_id, epoch, after_seq, text, at)
       select gen_random_uuid(), t.id, 1, 1, what, now() - age::interval
       from taskforce.tenants t, (values ('fresh', '9 min'), ('old', '11 min'), ('busy', '11 min')) v(what, age)`,
    )
    await world.sql(
      `insert into taskforce.watched (mission_id, tenant_id, until)
       select gen_random_uuid(), t.id, now() - age::interval
       from taskforce.tenants t, (values ('-10 s'), ('50 s'), ('70 s')) v(age)`,
    )
    await withConnection(world.database.ownerUrl, async (writer) => {
      await writer.query(`begin; select from taskforce.deltas where text = 'busy' for update`)
      await run()
    })
    const texts = await world.sql('select text from taskforce.deltas order by text')
    expect(texts).toEqual([{ text: 'busy' }, { text: 'fresh' }])
    const ages = `select round(extract(epoch from now() - until) / 60)::int as minutes from taskforce.watched order by 1`
    expect(await world.sql(ages)).toEqual([{ minutes: 0 }, { minutes: 1 }])
  })

  it('brings back a mission whose wake was lost', async () => {
    const id = await world.create()
    const { wakes } = await run()
    expect(wakes.sent).toEqual([{ missionId: id, inSeconds: 0 }])
    expect(await world.engine().run()).toEqual(['ended'])
    await world.sql('delete from taskforce.facts')
    expect(await run()).toMatchObject({ due: 0 })
  })
})
