import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { checkReadable } from '../../src/engine/check-readable.ts'
import { createWorld, type World } from '../support/engine.ts'

let world: World
beforeAll(async () => {
  world = await createWorld()
})
beforeEach(() => world.sql(`delete from taskforce.missions`))
afterAll(() => world.stop())

/** An event that no build of today writes. */
async function addSong(id: string): Promise<void> {
  await world.sql(
    `insert into taskforce.events (mission_id, seq, epoch, v, type, data, tenant_id)
     select id, 2, 0, 1, 'mission.sung', '{}', tenant_id from taskforce.missions where id = $1`,
    [id],
  )
}

async function made(count: number): Promise<string[]> {
  const ids: string[] = []
  for (let i = 0; i < count; i++) ids.push(await world.create())
  return ids.sort()
}

/** A clock that stands still but for a second with each look at it. */
function ticking() {
  let now = 0
  return { monotonic: () => (now += 1_000) }
}

const LIMITS = { clock: { monotonic: () => 0 }, ms: 1, missions: 100 }

describe('checkReadable', () => {
  it('names what it can not read, and why', async () => {
    const [sung = ''] = await made(3)
    await addSong(sung)
    expect(await checkReadable(world.engine().db, undefined, LIMITS)).toEqual({
      checked: 3,
      unreadable: [{ id: sung, why: "Event 2 (mission.sung, v1) can't be read: this build does not know the type" }],
    })
  })

  it('ends after so many missions, says where, and goes on from there', async () => {
    const ids = await made(5)
    for (const id of ids) await addSong(id)
    const { db } = world.engine()
    const seen: string[][] = []
    let next: string | undefined
    do {
      const report = await checkReadable(db, next, { ...LIMITS, missions: 2 })
      seen.push(report.unreadable.map(({ id }) => id))
      next = report.next
    } while (next !== undefined)
    expect(seen).toEqual([ids.slice(0, 2), ids.slice(2, 4), ids.slice(4)])
  })

  it('begins no other mission when its time is up, and one in any case', async () => {
    const ids = await made(4)
    const { db } = world.engine()
    const timed = (ms: number) => checkReadable(db, undefined, { ...LIMITS, clock: ticking(), ms })
    expect(await timed(0)).toEqual({ checked: 1, unreadable: [], next: ids[0] })
    expect(await timed(3_000)).toEqual({ checked: 3, unreadable: [], next: ids[2] })
    expect(await timed(60_000)).toEqual({ checked: 4, unreadable: [] })
  })
})
