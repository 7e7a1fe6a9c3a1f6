import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { EngineDb } from '../../src/db/connection.ts'
import { claimMissions } from '../../src/db/queries/claim-mission.ts'
import { beat } from '../../src/db/queries/instances.ts'
import type { EventDraft } from '../../src/domain/event.ts'
import { createJournal } from '../../src/engine/postgres-journal.ts'
import type { Journal, Lease } from '../../src/engine/ports.ts'
import { systemClock } from '../../src/engine/system-clock.ts'
import { createWorld, gate, type World } from '../support/engine.ts'
import { finished } from '../support/journal.ts'
import { withConnection } from '../support/postgres.ts'

const MISSIONS = 5

let world: World
let db: EngineDb
let leases: Lease[]
let journal: Journal
/** How many appends each statement carried, by the length of its array of ids; 1 for the plain form. */
let flushes: number[]
let hold: Promise<void> | undefined

beforeEach(async () => {
  world = await createWorld()
  db = world.missions.databases.engine
  const instance = randomUUID()
  await beat(db, { id: instance, version: '0', host: 'test' }, 60)
  for (let n = 0; n < MISSIONS; n++) await world.create()
  const claims = await claimMissions(db, instance, MISSIONS)
  leases = claims.map(({ missionId, epoch }) => ({ missionId, epoch, instance }))
  flushes = []
  hold = undefined
  journal = createJournal(watched(), systemClock)
})
afterEach(() => world.stop())

/** The database, which counts what a statement carries and holds it where the test says so. */
function watched(): EngineDb {
  const query = async (statement: { name?: string; values?: unknown[] }, ...rest: unknown[]) => {
    const [, ids] = statement.values ?? []
    flushes.push(Array.isArray(ids) ? ids.length : 1)
    await hold
    return (db.query as (...given: unknown[]) => unknown)(statement, ...rest)
  }
  return { query } as unknown as EngineDb
}

const append = (lease: Lease, event: EventDraft = finished('c0', 'x')) => journal.append(lease, 2, [event])
const lengths = () => Promise.all(leases.map(async ({ missionId }) => (await world.events(missionId)).length))

describe('the journal writer', () => {
  it('sends what gathers while a flush is on its way as the next one', async () => {
    const door = gate()
    hold = door.pass()
    const first = append(leases[0] as Lease)
    await door.reached
    await Promise.resolve()
    const others = leases.slice(1).map((lease) => append(lease))
    hold = undefined
    door.open()
    const results = await Promise.all([first, ...others])
    expect(results.map(({ kind }) => kind)).toEqual(Array.from({ length: MISSIONS }, () => 'recorded'))
    expect(flushes).toEqual([1, MISSIONS - 1])
    expect(await lengths()).toEqual([3, 3, 3, 3, 3])
  })

  it('tells a conflict, a lost lease and what cannot be stored to those that they concern, and records the others', async () => {
    const [taken, lost, large] = leases as [Lease, Lease, Lease]
    await journal.append(taken, 2, [finished('c9', 'first')])
    flushes.length = 0
    // JSON knows it, and jsonb does not.
    const number = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON('1e200000')
    const results = await Promise.allSettled([
      append(taken),
      append({ ...lost, epoch: 99 }),
      append(large, { ...finished('c0', 'x'), data: { ...finished('c0', 'x').data, number } } as EventDraft),
      ...leases.slice(3).map((lease) => append(lease)),
    ])
    expect(results.map((result) => (result.status === 'fulfilled' ? result.value.kind : 'refused'))).toEqual([
      'conflict',
      'lost',
      'refused',
      'recorded',
      'recorded',
    ])
    // All in one, which failed as a whole, and then each by itself.
    expect(flushes).toEqual([MISSIONS, 1, 1, 1, 1, 1])
    expect(await lengths()).toEqual([3, 2, 2, 3, 3])
  })

  it('does not hold up other missions for one whose row somebody has locked', async () => {
    const [locked, ...free] = leases as [Lease, ...Lease[]]
    await withConnection(world.database.ownerUrl, async (other) => {
      await other.query('begin')
      await other.query('select from taskforce.missions where id = $1 for update', [locked.missionId])
      const change = { status: 'waiting', wakeInSeconds: 60, release: true, inbox: 0 }
      const waiting = journal.append(locked, 2, [], change)
      const results = await Promise.all(free.map((lease) => append(lease)))
      expect(results.every(({ kind }) => kind === 'recorded')).toBe(true)
      await other.query('commit')
      expect(await waiting).toMatchObject({ kind: 'recorded' })
    })
  })

  it('takes no more in than fits into memory while the server is slow', async () => {
    const door = gate()
    hold = door.pass()
    const big = finished('c0', 'x'.repeat(9 * 1024 * 1024))
    const works = leases.map((lease) => append(lease, big))
    await door.reached
    hold = undefined
    door.open()
    await Promise.all(works)
    // Each is larger than a flush, so each goes by itself.
    expect(flushes).toEqual([1, 1, 1, 1, 1])
    expect(await lengths()).toEqual([3, 3, 3, 3, 3])
  })
})
