import { afterEach, expect, it, vi } from 'vitest'
import { createWorld, gate, say, tool, until, callTools, type World } from '../support/engine.ts'
import { holdPolls, pollUntil } from '../support/polls.ts'

let world: World
afterEach(async () => {
  vi.useRealTimers()
  await world.stop()
})

/** Missions whose instances died twice without an event in between. */
async function suspects(count: number): Promise<string[]> {
  const ids: string[] = []
  for (let n = 0; n < count; n++) ids.push(await world.create(`suspect ${n}`))
  await world.sql(
    `update taskforce.missions set owner = gen_random_uuid(), status = 'running', crashes = 1, claimed_seq = 1`,
  )
  return ids
}

it('of two suspects an instance takes the second only when something of the first is recorded', async () => {
  const [thinking, working] = [gate(), gate()]
  world = await createWorld([tool('slow', async () => (await working.pass(), 'slow'))])
  const [first, second] = (await suspects(2)) as [string, string]
  let models = 0
  const one = world.engine({
    model: async () => {
      if (models++ > 0) return say('done')
      await thinking.pass()
      return callTools(['slow'])
    },
  })
  const running = one.run()
  await thinking.reached
  expect(await one.engine.runOne()).toBeUndefined()
  const fresh = await world.create('fresh')
  expect(await one.engine.runOne()).toMatchObject({ missionId: fresh, end: 'ended' })
  expect(one.wakes.sent).toEqual([])

  thinking.open()
  await working.reached
  expect(one.wakes.sent).toEqual([{ missionId: first, inSeconds: 0 }])
  expect(await one.engine.runOne()).toMatchObject({ missionId: second, end: 'ended' })
  working.open()
  await running
  expect(await world.row(first)).toMatchObject({ status: 'completed' })
})

it('a suspect that ends without an event makes room for the next one', async () => {
  world = await createWorld()
  const [first] = (await suspects(2)) as [string, string]
  const one = world.engine({
    model: () => {
      throw new Error('a defect')
    },
  })
  await expect(one.engine.runOne()).rejects.toThrow('a defect')
  expect(one.wakes.sent).toContainEqual({ missionId: first, inSeconds: 0 })
})

/** An engine whose first claim has an answer that comes late. */
function answeredLate() {
  const answer = gate()
  let claims = 0
  const one = world.engine({
    over: ({ missions }) => ({
      missions: {
        ...missions,
        claim: async (most, suspect) => {
          const claimed = await missions.claim(most, suspect)
          if (claims++ === 0) await answer.pass()
          return claimed
        },
      },
    }),
  })
  return { one, answer }
}

it('a claim whose answer comes when its mission was given up is not acted upon, and was no crash', async () => {
  world = await createWorld()
  const id = await world.create()
  holdPolls()
  const { one, answer } = answeredLate()
  const running = one.engine.runOne()
  await answer.reached
  await pollUntil(async () => (await world.row(id)).owner === null)
  expect(await world.row(id)).toMatchObject({ epoch: 1, crashes: 0 })
  const two = world.engine()
  answer.open()
  expect(await running).toEqual({ missionId: id, end: 'lost' })
  expect(await world.types(id)).toEqual(['mission.created', 'mission.started'])
  expect(await two.run()).toEqual(['ended'])
  await until(async () => (await world.row(id)).status === 'completed')
  expect(await world.row(id)).toMatchObject({ epoch: 2, crashes: 0 })
})
