import { afterEach, describe, expect, it } from 'vitest'
import { createWorld, gate, say, until, type World } from '../support/engine.ts'

let world: World
afterEach(() => world.stop())

describe('an instance that is awake', () => {
  it('takes up missions of one that died, without a wake or a sweep', async () => {
    world = await createWorld()
    const door = gate()
    const dying = world.engine({ model: async () => (await door.pass(), say('Too late')) })
    const awake = world.engine()
    expect(await awake.engine.runOne()).toBeUndefined()
    const ids = [await world.create('one'), await world.create('two')]
    const running = [dying.engine.runOne(), dying.engine.runOne()]
    await door.reached
    await until(async () => (await world.types(ids[1] as string)).length === 2)
    await world.expire(dying.instance)
    await until(async () => (await world.row(ids[1] as string)).status === 'completed')
    await until(async () => (await world.row(ids[0] as string)).status === 'completed')
    expect(awake.wakes.sent).toEqual([])
    door.open()
    expect(await Promise.all(running)).toMatchObject([{ end: 'lost' }, { end: 'lost' }])
    for (const id of ids) {
      expect((await world.events(id)).at(-1)).toMatchObject({ epoch: 2, data: { result: { text: 'Done' } } })
    }
  })

  it('takes up no more than it has room for', async () => {
    world = await createWorld()
    const doors = gate()
    const busy = world.engine({ concurrency: 1, model: async () => (await doors.pass(), say('Done')) })
    const own = await world.create('own')
    const running = busy.engine.runOne()
    await doors.reached
    const left = await world.create('left')
    await world.sql(`update taskforce.missions set owner = gen_random_uuid(), status = 'running' where id = $1`, [left])
    const polls = () => busy.statements.filter((name) => name === 'control_poll').length
    const before = polls()
    await until(() => polls() >= before + 2)
    expect((await world.row(left)).epoch).toBe(0)
    doors.open()
    await running
    await until(async () => (await world.row(left)).status === 'completed')
    expect(await world.types(own)).toContain('mission.completed')
  })
})
