import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { idOf } from './ground.ts'
import { azuriteQueue, simQueue, type QueueGround } from './queues.ts'

const queues: [name: string, open: () => Promise<QueueGround>][] = [
  ['simulated', simQueue],
  ['on Azurite under the local host', azuriteQueue],
]

describe.each(queues)('the queue of wakes, %s', (_, open) => {
  let ground: QueueGround
  beforeAll(async () => (ground = await open()), 90_000)
  afterAll(() => ground.stop())
  beforeEach(() => Object.assign(ground, { taken: [], poisoned: [], fails: 0 }))

  const [one, two] = [idOf('mission', 1), idOf('mission', 2)]

  it('hands a wake out once, and never again when it was worked on', async () => {
    await ground.wakes.send(one, 0)
    await ground.settle(1)
    expect(ground.taken).toEqual([one])
    expect(ground.poisoned).toEqual([])
  })

  it('keeps two wakes of one mission apart', async () => {
    await ground.wakes.send(one, 0)
    await ground.wakes.send(one, 0)
    await ground.settle(2)
    expect(ground.taken).toEqual([one, one])
  })

  it('holds back a wake for its time, and lets others pass', async () => {
    await ground.wakes.send(one, 2)
    await ground.wakes.send(two, 0)
    await ground.settle(2)
    expect(ground.taken).toEqual([two, one])
  })

  it('hands one out again whose work failed, until it does not', async () => {
    ground.fails = 2
    await ground.wakes.send(one, 0)
    await ground.settle(3)
    expect(ground.taken).toEqual([one, one, one])
    expect(ground.poisoned).toEqual([])
  })

  it('gives one that failed five times to the poison handler, once, and to nobody else again', async () => {
    ground.fails = 9
    await ground.wakes.send(one, 0)
    await ground.settle(5, 1)
    expect(ground.taken).toEqual([one, one, one, one, one])
    expect(ground.poisoned).toEqual([one])
  })
})
