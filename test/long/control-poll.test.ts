import { afterEach, describe, expect, it } from 'vitest'
import { sendMessage } from '../../src/missions/send-message.ts'
import { pauseMission } from '../../src/missions/pause-mission.ts'
import { callTools, createWorld, gate, say, script, tool, until, type World } from '../support/engine.ts'

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

describe('a mission that moves', () => {
  it('learns of a message while one of its tools runs', async () => {
    const door = gate()
    world = await createWorld([tool('slow', async () => (await door.pass(), 'slow'))])
    const id = await world.create()
    const one = world.engine({ model: script(callTools(['wait', { seconds: 3600 }], ['slow'])) })
    const running = one.engine.runOne()
    await door.reached
    await sendMessage(world.missions, world.caller, id, 'Never mind')
    await until(async () => (await world.types(id)).includes('timer.fired'))
    expect(await world.types(id)).not.toContain('tool.finished')
    door.open()
    expect(await running).toMatchObject({ end: 'ended' })
  })

  it('is paused when the tools that run have ended, and begins nothing more', async () => {
    const door = gate()
    world = await createWorld([tool('slow', async () => (await door.pass(), 'slow'))])
    const id = await world.create()
    const one = world.engine({ model: script(callTools(['slow'])) })
    const running = one.engine.runOne()
    await door.reached
    await pauseMission(world.missions, world.caller, id, undefined)
    expect(await world.row(id)).toMatchObject({ owner: one.instance })
    door.open()
    expect(await running).toMatchObject({ end: 'waiting' })
    expect((await world.types(id)).slice(-2)).toEqual(['mission.paused', 'tool.finished'])
    expect(await world.row(id)).toMatchObject({ status: 'paused', owner: null, wakeInMs: null })
  })
})
