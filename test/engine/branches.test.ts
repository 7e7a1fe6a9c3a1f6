import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { TerminalError } from '../../src/domain/errors.ts'
import { answerQuestion } from '../../src/missions/answer-question.ts'
import { branchMission, type BranchMissionRequest } from '../../src/missions/branch-mission.ts'
import { cancelMission } from '../../src/missions/cancel-mission.ts'
import { pauseMission, resumeMission } from '../../src/missions/pause-mission.ts'
import { readMission } from '../../src/missions/read-mission.ts'
import type { ModelMessage } from '../../src/models/model.ts'
import { callTools, createWorld, gate, say, script, tool, type Script, type World } from '../support/engine.ts'

let world: World
let keys: string[] = []
let door = gate()
beforeAll(async () => {
  const post = tool('post', (_, { key }) => (keys.push(key), 'posted'), { effect: 'once' })
  const look = tool('look', (_, { key }) => (keys.push(key), 'seen'))
  const slow = tool('slow', async () => (await door.pass(), 'slow'), { effect: 'once' })
  const write = tool('write', async (_, { workspace }) => ({
    text: 'ok',
    files: [await workspace.write('out.txt', Buffer.from('x'))],
  }))
  world = await createWorld([post, look, slow, write])
})
afterAll(() => world.stop())
beforeEach(() => {
  keys = []
})

async function branch(parent: string, request: BranchMissionRequest): Promise<string> {
  return (await branchMission(world.missions, world.caller, parent, request)).mission.id
}
const view = (id: string) => readMission(world.missions, world.caller, id)

/** Runs what can be run with a model that gives these answers, and tells what it heard at each call. */
async function run(answers: Script): Promise<string[][]> {
  const heard: string[][] = []
  const model: Script = (messages, signal) => {
    heard.push(messages.slice(1).map(({ role, content }: ModelMessage) => `${role}: ${content.split('\n').at(-1)}`))
    return answers(messages, signal)
  }
  await world.engine({ model }).run()
  return heard
}

async function done(goal: string, answers: Script = script(say('One'))): Promise<string> {
  const id = await world.create(goal)
  await run(answers)
  return id
}

const gone: Script = () => {
  throw new TerminalError('model_gone', 'The model is gone.')
}

describe('to continue', () => {
  it('a completed mission lets the model read the old turns and the new words', async () => {
    const parent = await done('Count')
    const before = await world.events(parent)
    const id = await branch(parent, { how: 'continue', content: 'And then?' })
    expect(await run(script(say('One'), say('Two')))).toEqual([['user: Count', 'assistant: One', 'user: And then?']])
    expect(await view(id)).toMatchObject({
      status: 'completed',
      goal: 'And then?',
      result: { text: 'Two' },
      usage: { steps: 1 },
      lastSeq: 4,
      forkedFrom: { id: parent, seq: 3 },
    })
    expect(await world.types(id)).toEqual(['mission.created', 'mission.started', 'model.answered', 'mission.completed'])
    expect(await world.events(parent)).toEqual(before)
  })

  it('has the files that the parent wrote, without a copy', async () => {
    const parent = await done('Write', script(callTools(['write']), say('One')))
    const id = await branch(parent, { how: 'continue', content: 'And then?' })
    await run(script(say('x'), say('y'), say('Two')))
    expect((await view(id)).result?.files).toMatchObject([{ name: 'out.txt' }])
    expect((await world.events(id))[0]?.data).toMatchObject({ files: [] })
  })
})

describe('to retry', () => {
  it('after a failure of the model goes on where it stood', async () => {
    const parent = await done('Count', (messages, signal) =>
      messages.length > 2 ? gone(messages, signal) : callTools(['write']),
    )
    expect(await view(parent)).toMatchObject({ status: 'failed', error: { code: 'model_gone' } })
    const id = await branch(parent, { how: 'retry' })
    expect(await run(script(say('x'), say('Two')))).toEqual([['user: Count', 'assistant: ', 'tool: ok']])
    expect(await view(id)).toMatchObject({
      status: 'completed',
      goal: 'Count',
      result: { files: [{ name: 'out.txt' }] },
    })
  })

  it('after a limit counts it anew', async () => {
    const parent = await world.create('Count', { limits: { steps: 2 } })
    await run(script(callTools(['write'])))
    expect(await view(parent)).toMatchObject({ error: { code: 'limit_steps' } })
    const id = await branch(parent, { how: 'retry' })
    await run(script(say('x'), say('Two')))
    expect(await view(id)).toMatchObject({ status: 'completed', usage: { steps: 1 } })
    expect((await world.events(id))[0]?.data).toMatchObject({ limits: { steps: 2 } })
  })

  it('after a question that nobody answered asks it again', async () => {
    const ask = callTools(['ask_user', { question: 'Which?', deadlineSeconds: 60 }])
    const parent = await done('Ask', script(ask))
    // No tool asks for this yet, but a journal may say it.
    await world.sql(
      `update taskforce.events set data = jsonb_set(data, '{onDeadline,action}', '"fail"') where type = 'question.asked'`,
    )
    await world.letTimePass(parent, 61_000)
    await run(script())
    expect(await view(parent)).toMatchObject({ error: { code: 'question_expired' } })
    const id = await branch(parent, { how: 'retry' })
    await run(script())
    const { questions = [], status } = await view(id)
    expect({ status, text: questions[0]?.text }).toEqual({ status: 'waiting', text: 'Which?' })
    await answerQuestion(world.missions, world.caller, id, {
      questionId: questions[0]?.questionId ?? '',
      answer: 'red',
    })
    expect(await run(script(ask, say('Red')))).toEqual([['user: Ask', 'assistant: ', 'tool: {"answer":"red"}']])
    expect(await view(id)).toMatchObject({ status: 'completed' })
  })

  it('after a crash loop goes on', async () => {
    const parent = await world.create('Count')
    await world.sql(
      'update taskforce.missions set crashes = 5, owner = gen_random_uuid(), claimed_seq = 1 where id = $1',
      [parent],
    )
    await run(script())
    expect(await view(parent)).toMatchObject({ error: { code: 'crash_loop' } })
    const id = await branch(parent, { how: 'retry' })
    await run(script(say('One')))
    expect(await view(id)).toMatchObject({ status: 'completed' })
  })

  it('after a cancel does not act again what acts once and had begun', async () => {
    door = gate()
    const parent = await world.create('Do it')
    const running = run(script(callTools(['slow'], ['post'])))
    await door.reached
    await cancelMission(world.missions, world.caller, parent, undefined)
    door.open()
    await running
    const id = await branch(parent, { how: 'retry' })
    const heard = await run(script(say('x'), say('Two')))
    expect(heard.at(-1)?.join(' ')).toContain('tool: The outcome of this call is unknown.')
    expect(await world.types(id)).toContain('tool.unknown')
  })
})

describe('to fork', () => {
  it('goes on from any event of a mission that is still open', async () => {
    const parent = await done('Ask', script(callTools(['ask_user', { question: 'Which?' }])))
    const id = await branch(parent, { how: 'fork', seq: 2, content: 'in French' })
    expect(await run(script(say('Bonjour')))).toEqual([['user: Ask', 'user: in French']])
    expect(await view(id)).toMatchObject({ status: 'completed', forkedFrom: { id: parent, seq: 2 } })
    expect(await view(parent)).toMatchObject({ status: 'waiting' })
  })

  it('of a fork reads all that they share', async () => {
    const first = await done('Count')
    const second = await branch(first, { how: 'continue', content: 'And?' })
    await run(script(say('One'), say('Two')))
    const third = await branch(second, { how: 'fork', content: 'Then?' })
    expect(await run(script(say('One'), say('Two'), say('Three')))).toEqual([
      ['user: Count', 'assistant: One', 'user: And?', 'assistant: Two', 'user: Then?'],
    ])
    const fourth = await branch(third, { how: 'fork', seq: 1 })
    expect(await run(script(say('One'), say('Two'), say('Three again')))).toHaveLength(1)
    expect(await view(fourth)).toMatchObject({ status: 'completed', result: { text: 'Three again' }, goal: 'Then?' })
  })

  it('gives no call a key that another one has', async () => {
    const looks = script(callTools(['look'], ['look']), callTools(['look'], ['look']), say('Done'))
    const parent = await done('Look', looks)
    const ids = [await branch(parent, { how: 'fork', seq: 3 }), await branch(parent, { how: 'fork', seq: 3 })]
    await run(looks)
    expect(keys).toHaveLength(12)
    expect(new Set(keys).size).toBe(12)
    for (const id of ids) expect(await view(id)).toMatchObject({ status: 'completed' })
  })

  it('does not act again what acts once and began later in the parent', async () => {
    const parent = await done('Post', script(callTools(['post']), callTools(['write']), say('One')))
    expect(keys).toHaveLength(1)
    const silent = await branch(parent, { how: 'fork', seq: 3 })
    const told = await branch(parent, { how: 'fork', seq: 3, content: 'go on' })
    const again = await branch(silent, { how: 'fork', seq: 1 })
    const heard = await run(script(say('x'), say('Two')))
    expect(keys).toHaveLength(1)
    for (const id of [silent, told, again]) expect(await world.types(id)).toContain('tool.unknown')
    expect(heard.map((turns) => turns[2])).toEqual(
      Array.from({ length: 3 }, () => expect.stringContaining('The outcome of this call is unknown') as string),
    )
  })

  it('of a fork does not act again what began after that in the mission before both', async () => {
    const first = await done('Post', script(callTools(['post']), callTools(['post']), say('One')))
    const second = await branch(first, { how: 'fork', seq: 3 })
    // As if it had been made before the call began: of a mission that was paused.
    await world.sql(`update taskforce.events set data = data - 'begun' where mission_id = $1 and seq = 1`, [second])
    await cancelMission(world.missions, world.caller, second, undefined)
    keys = []
    const third = await branch(second, { how: 'retry' })
    expect((await world.events(third))[0]?.data).toMatchObject({ begun: ['c0'] })
    await run(script(say('x'), say('Two')))
    expect(keys).toEqual([])
  })

  it('waits for a mission that is about to act once, unless that is paused', async () => {
    door = gate()
    const parent = await world.create('Do it', { limits: { steps: 2 } })
    const running = run(script(callTools(['slow'], ['post'])))
    await door.reached
    const forked = () => branch(parent, { how: 'fork' })
    await expect(forked()).rejects.toThrow(/act once \(post\).* Wait .* pause it .* "content"/)
    await branch(parent, { how: 'fork', seq: 2 })
    await branch(parent, { how: 'fork', content: "don't" })
    await pauseMission(world.missions, world.caller, parent, undefined)
    const id = await forked()
    await resumeMission(world.missions, world.caller, parent, undefined)
    await expect(forked()).rejects.toThrow('act once')
    await cancelMission(world.missions, world.caller, parent, undefined)
    await forked()
    door.open()
    await running
    expect((await world.events(id))[0]?.data).not.toHaveProperty('begun')
  })

  it('with a journal of hundreds of events costs a read for each mission', async () => {
    const parent = await done(
      'Write',
      script(...Array.from({ length: 20 }, () => callTools(['write'], ['write'], ['write']))),
    )
    expect((await view(parent)).error?.code).toBe('limit_steps')
    await branch(parent, { how: 'retry' })
    const { run: go, statements } = world.engine({ model: () => say('Two') })
    expect(await go()).toEqual(['ended'])
    expect(statements.filter((name) => name === 'read_events')).toHaveLength(1)
  })
})

it('a mission whose parent is not there is set aside, and not given up', async () => {
  const parent = await done('Count')
  const id = await branch(parent, { how: 'continue', content: 'And?' })
  await world.sql('delete from taskforce.events where mission_id = $1 and seq = 3', [parent])
  await run(script())
  expect(await world.row(id)).toMatchObject({ status: 'waiting', summary: { error: { code: 'journal_gap' } } })
})
