import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { clearDrain, setDrain } from '../../src/db/queries/drain.ts'
import { callTools, createWorld, gate, script, tool, type World } from '../support/engine.ts'
import { holdPolls, pollUntil } from '../support/polls.ts'

let world: World
let door = gate()
const made = { read: 0, once: 0 }

beforeEach(async () => {
  door = gate()
  Object.assign(made, { read: 0, once: 0 })
  const slow = tool('slow', async () => (made.read++, await door.pass(), 'slow'))
  const charge = tool('charge', async () => (made.once++, await door.pass(), 'charged'), { effect: 'once' })
  world = await createWorld([slow, charge])
  holdPolls()
})
afterEach(async () => {
  vi.useRealTimers()
  door.open()
  await world.stop()
})

const drain = () => setDrain(world.missions.databases.engine, { by: 'ada', reason: 'a restore' })
const undrain = () => clearDrain(world.missions.databases.engine)

describe('an instance whose deployment drains', () => {
  it('hands over what runs, takes nothing more, and goes on when that is over', async () => {
    const [id, other] = [await world.create(), await world.create()]
    const one = world.engine({ concurrency: 1, model: script(callTools(['slow'])) })
    let end: string | undefined
    void one.engine.runOne().then((slice) => (end = slice?.end))
    await door.reached
    await drain()
    await pollUntil(() => end !== undefined)
    expect(end).toBe('handed-over')
    expect(one.wakes.sent).toEqual([{ missionId: id, inSeconds: 0 }])
    expect(await world.row(id)).toMatchObject({ owner: null, status: 'running', crashes: 0 })
    expect(await one.engine.runOne()).toBeUndefined()
    expect(await world.row(other)).toMatchObject({ status: 'queued', epoch: 0 })
    await undrain()
    door.open()
    expect(await one.run()).toEqual(['ended', 'ended'])
    expect(made.read).toBe(3)
  })

  it('waits for a call that acts once, which nobody makes again', async () => {
    const id = await world.create()
    const one = world.engine({ model: script(callTools(['charge'])) })
    let end: string | undefined
    void one.engine.runOne().then((slice) => (end = slice?.end))
    await door.reached
    await drain()
    const polls = () => one.statements.filter((name) => name === 'control_poll').length
    const before = polls()
    await pollUntil(() => polls() >= before + 3)
    expect([end, (await world.row(id)).owner]).toEqual([undefined, one.instance])
    door.open()
    await pollUntil(() => end !== undefined)
    expect(end).toBe('handed-over')
    expect((await world.types(id)).slice(3)).toEqual(['tool.started', 'tool.finished'])
    await undrain()
    expect(await one.run()).toEqual(['ended'])
    expect(made.once).toBe(1)
  })

  it('hands over what its last claim brought, too', async () => {
    const claiming = gate()
    const id = await world.create()
    const one = world.engine({
      model: script(callTools(['slow'])),
      over: ({ missions }) => ({
        missions: {
          ...missions,
          claim: async (most, suspect) => {
            const claims = await missions.claim(most, suspect)
            if (claims.length > 0) await claiming.pass()
            return claims
          },
        },
      }),
    })
    let end: string | undefined
    void one.engine.runOne().then((slice) => (end = slice?.end))
    await claiming.reached
    await drain()
    claiming.open()
    await pollUntil(() => end !== undefined)
    expect(end).toBe('handed-over')
    expect(await world.row(id)).toMatchObject({ owner: null })
  })
})
