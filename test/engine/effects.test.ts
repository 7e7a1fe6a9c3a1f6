import { afterEach, describe, expect, it } from 'vitest'
import { RetryableError, TerminalError } from '../../src/domain/errors.ts'
import type { UnknownOutcomes } from '../../src/domain/profile.ts'
import type { Effects } from '../../src/engine/ports.ts'
import { answerQuestion } from '../../src/missions/answer-question.ts'
import { cancelMission } from '../../src/missions/cancel-mission.ts'
import { readMission } from '../../src/missions/read-mission.ts'
import type { ModelMessage } from '../../src/models/model.ts'
import {
  callTools,
  createWorld,
  gate,
  script,
  tool,
  until,
  type Script,
  type TestEngine,
  type World,
} from '../support/engine.ts'

let world: World
afterEach(() => world.stop())

const call = callTools(['charge', { card: '4711' }])
const once = { effect: 'once' } as const

/** A world with a tool that acts once and counts; `act` may fail or wait after it has acted. */
async function charging(act: (run: number) => string | Promise<string> = (run) => `charge ${run}`) {
  const runs = { made: 0 }
  world = await createWorld([tool('charge', () => act(++runs.made), once)])
  return runs
}

async function withPolicy(unknownOutcomes: UnknownOutcomes): Promise<void> {
  const profile = world.missions.profiles.get('dev')
  if (profile === undefined) throw new Error('There is no profile dev')
  Object.assign(profile, { unknownOutcomes })
}

/** A model that makes the call once and keeps what it hears. */
function listening(heard: ModelMessage[][]): Script {
  return (messages, signal) => {
    heard.push(messages)
    return script(call)(messages, signal)
  }
}

const lastOf = (heard: ModelMessage[][]) => heard.at(-1)?.at(-1)?.content ?? ''

async function dataOf(id: string, type: string): Promise<unknown> {
  return (await world.events(id)).find((event) => event.type === type)?.data
}

/** Sets the journal back to what it was after an event, as a restored database is; nothing outside of it goes back. */
async function restore(id: string, afterSeq: number): Promise<void> {
  await world.sql('delete from taskforce.events where mission_id = $1 and seq > $2', [id, afterSeq])
  await world.sql(
    `update taskforce.missions set status = 'running', owner = null, wake_at = now(), ended_at = null where id = $1`,
    [id],
  )
}

/** An instance dies while it makes the call; gives how that ends for it later. */
async function dieWhile(one: TestEngine, door: ReturnType<typeof gate>): Promise<() => Promise<string[]>> {
  const running = one.run()
  await door.reached
  await world.expire(one.instance)
  return async () => (door.open(), running)
}

describe('a call that acts once', () => {
  it('is claimed after it is announced and before it acts', async () => {
    const seen: unknown[] = []
    await charging(async () => (seen.push([...world.effects.claims.keys()], await world.types(id)), 'charged'))
    const id = await world.create()
    const { run, instance } = world.engine({ model: script(call) })
    expect(await run()).toEqual(['ended'])
    expect(seen).toEqual([[`${id}/3.0`], ['mission.created', 'mission.started', 'model.answered', 'tool.started']])
    expect(world.effects.claims.get(`${id}/3.0`)).toMatchObject({ tool: 'charge', instance })
  })

  it('is not made again after the database was set back to a time before it', async () => {
    const runs = await charging()
    const id = await world.create()
    const { run, instance } = world.engine({ model: script(call) })
    await run()
    await restore(id, 3)
    const heard: ModelMessage[][] = []
    expect(await world.engine({ model: listening(heard) }).run()).toEqual(['ended'])
    expect(runs.made).toBe(1)
    expect((await world.types(id)).slice(3)).toEqual([
      'tool.started',
      'tool.unknown',
      'model.answered',
      'mission.completed',
    ])
    expect(lastOf(heard)).toContain(
      `It was not made now: it was begun before, as a call of charge by the instance ${instance}`,
    )
  })

  it('is not made by anybody when its instance dies between the claim and the act', async () => {
    const runs = await charging()
    const id = await world.create()
    const door = gate()
    const claim: Effects['claim'] = async (begin, signal) => {
      const result = await world.effects.claim(begin, signal)
      await door.pass()
      throw signal.reason ?? new Error(`This process is dead: ${result.kind}`)
    }
    const end = await dieWhile(world.engine({ model: script(call), over: () => ({ effects: { claim } }) }), door)
    expect(await world.engine({ model: script(call) }).run()).toEqual(['ended'])
    expect(await end()).toEqual(['lost'])
    expect(runs.made).toBe(0)
    expect((await world.types(id)).slice(3, 5)).toEqual(['tool.started', 'tool.unknown'])
  })

  it('is not made when its mission is cancelled while it is claimed', async () => {
    const runs = await charging()
    const id = await world.create()
    const door = gate()
    const claim: Effects['claim'] = async (begin, signal) => {
      const result = await world.effects.claim(begin, signal)
      await door.pass()
      await until(() => signal.aborted)
      return result
    }
    const one = world.engine({ model: script(call), over: () => ({ effects: { claim } }) })
    const running = one.run()
    await door.reached
    await cancelMission(world.missions, world.caller, id, undefined)
    door.open()
    expect(await running).toEqual(['lost'])
    expect(runs.made).toBe(0)
    expect(world.effects.claims.size).toBe(1)
  })

  it('is not made while it cannot be claimed, and the model learns that nothing happened', async () => {
    const runs = await charging()
    const id = await world.create()
    const heard: ModelMessage[][] = []
    const down = new TerminalError('effects_unavailable', 'Nothing was done.', { hint: 'Look at the storage.' })
    const { run } = world.engine({
      model: listening(heard),
      over: () => ({ effects: { claim: () => Promise.reject(down) } }),
    })
    expect(await run()).toEqual(['ended'])
    expect(runs.made).toBe(0)
    expect((await world.types(id)).slice(3, 5)).toEqual(['tool.started', 'tool.failed'])
    expect(await dataOf(id, 'tool.failed')).toMatchObject({ error: { code: 'effects_unavailable' } })
    expect(lastOf(heard)).toContain('Nothing was done. Look at the storage.')
  })

  it('claims nothing where its arguments are refused, nor where it may be repeated', async () => {
    const put = tool('put', () => 'x', { effect: 'idempotent' })
    world = await createWorld([tool('read', () => 'x'), put, tool('charge', () => 'charged', once)])
    await world.create()
    await world.engine({ model: script(callTools(['read'], ['put'], ['charge', '{'])) }).run()
    expect(world.effects.claims.size).toBe(0)
  })
})

describe('an unknown outcome', () => {
  const ends: [string, () => Promise<string>][] = [
    ['its instance died', () => dying()],
    ['its connection broke', () => breaking()],
    ['it was begun before the database was set back', () => restored()],
  ]

  async function dying(): Promise<string> {
    const door = gate()
    world = await createWorld([tool('charge', async () => (await door.pass(), 'charged'), once)])
    await withPolicy(policy)
    const id = await world.create()
    const end = await dieWhile(world.engine({ model: script(call) }), door)
    heard = []
    await world.engine({ model: listening(heard) }).run()
    await end()
    return id
  }

  async function breaking(): Promise<string> {
    await charging(() => Promise.reject(new RetryableError('reset', 'The connection broke.')))
    await withPolicy(policy)
    const id = await world.create()
    await world.engine({ model: listening((heard = [])) }).run()
    return id
  }

  async function restored(): Promise<string> {
    await charging()
    await withPolicy(policy)
    const id = await world.create()
    await world.engine({ model: script(call) }).run()
    await restore(id, 3)
    await world.engine({ model: listening((heard = [])) }).run()
    return id
  }

  let policy: UnknownOutcomes = 'model'
  let heard: ModelMessage[][] = []

  it.each(ends)('goes to the model where %s', async (_, play) => {
    policy = 'model'
    const id = await play()
    expect(lastOf(heard)).toContain('The outcome of this call is unknown.')
    expect(await dataOf(id, 'tool.unknown')).not.toHaveProperty('policy')
    expect(await world.row(id)).toMatchObject({ status: 'completed' })
  })

  it.each(ends)('ends the mission by its policy where %s', async (_, play) => {
    policy = 'end'
    const id = await play()
    expect((await world.types(id)).slice(3)).toEqual(['tool.started', 'tool.unknown', 'mission.failed'])
    expect(await dataOf(id, 'mission.failed')).toMatchObject({
      code: 'unknown_outcome',
      message: expect.stringContaining('charge with {"card":"4711"}'),
      hint: expect.stringContaining('Find out whether it happened'),
    })
  })

  it.each(ends)('is asked of a person by its policy where %s, and the model reads the answer', async (_, play) => {
    policy = 'person'
    const id = await play()
    expect((await world.types(id)).slice(3)).toEqual(['tool.started', 'tool.unknown', 'question.asked'])
    const { status, questions = [] } = await readMission(world.missions, world.caller, id)
    expect(status).toBe('waiting')
    expect(questions).toMatchObject([{ questionId: 'u3-0', kind: 'question' }])
    expect(questions[0]?.text).toContain('charge with {"card":"4711"}')
    const answer = (given: unknown) =>
      answerQuestion(world.missions, world.caller, id, { questionId: 'u3-0', answer: given })
    await expect(answer('yes')).rejects.toMatchObject({ code: 'invalid_request' })
    await answer({ outcome: 'did_not_happen' })
    expect(await world.engine({ model: listening((heard = [])) }).run()).toEqual(['ended'])
    expect(lastOf(heard)).toContain('A person was asked, and says: {"answer":{"outcome":"did_not_happen"}}')
  })

  it('is asked once, whoever dies before it is asked', async () => {
    policy = 'person'
    const id = await breaking()
    await restore(id, 5)
    expect((await world.types(id)).at(-1)).toBe('tool.unknown')
    expect(await world.engine({ model: script(call) }).run()).toEqual(['waiting'])
    await world.sql('update taskforce.missions set wake_at = now()')
    expect(await world.engine({ model: script(call) }).run()).toEqual(['waiting'])
    expect((await world.types(id)).filter((type) => type === 'question.asked')).toHaveLength(1)
  })
})
