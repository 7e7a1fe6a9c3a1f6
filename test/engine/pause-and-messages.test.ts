import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { answerQuestion } from '../../src/missions/answer-question.ts'
import { cancelMission } from '../../src/missions/cancel-mission.ts'
import { pauseMission, resumeMission } from '../../src/missions/pause-mission.ts'
import { readMission } from '../../src/missions/read-mission.ts'
import { sendMessage } from '../../src/missions/send-message.ts'
import type { ModelMessage } from '../../src/models/model.ts'
import { callTools, createWorld, gate, say, script, tool, type Script, type World } from '../support/engine.ts'

let world: World
let door = gate()
beforeAll(async () => {
  world = await createWorld([tool('slow', async () => (await door.pass(), 'slow'))])
})
afterAll(() => world.stop())

const send = (id: string, content: string) => sendMessage(world.missions, world.caller, id, content)
const pause = (id: string) => pauseMission(world.missions, world.caller, id, 'lunch')
const resume = (id: string) => resumeMission(world.missions, world.caller, id, undefined)
const view = (id: string) => readMission(world.missions, world.caller, id)
const ask = callTools(['ask_user', { question: 'Which colour?' }])

/** A model that keeps what it was told. */
function hearing(answers: Script): { model: Script; heard: string[][] } {
  const heard: string[][] = []
  const model: Script = (messages, signal) => {
    heard.push(messages.slice(1).map(({ role, content }: ModelMessage) => `${role}: ${content}`))
    return answers(messages, signal)
  }
  return { model, heard }
}

describe('a message', () => {
  it('that comes while the model thinks is answered before the mission completes', async () => {
    const id = await world.create('Say hello')
    const thinking = gate()
    const { model, heard } = hearing(script(async () => (await thinking.pass(), say('Hello')), say('Hello, Ann')))
    const running = world.engine({ model }).run()
    await thinking.reached
    await send(id, 'My name is Ann')
    await send(id, 'from Bonn')
    thinking.open()
    expect(await running).toEqual(['ended'])
    const told = ['user: Say hello', 'assistant: Hello', 'user: My name is Ann', 'user: from Bonn']
    expect(heard).toEqual([told.slice(0, 1), told])
    expect(await view(id)).toMatchObject({ status: 'completed', result: { text: 'Hello, Ann' } })
    const answers = (await world.events(id)).flatMap((event) => (event.type === 'model.answered' ? [event.data] : []))
    expect(answers.map(({ seenSeq }) => seenSeq)).toEqual([2, undefined])
  })

  it('that comes while a tool runs is read behind its result', async () => {
    door = gate()
    const id = await world.create('Do it')
    const { model, heard } = hearing(script(callTools(['slow']), say('Done')))
    const running = world.engine({ model }).run()
    await door.reached
    await send(id, 'hurry')
    door.open()
    await running
    expect(heard.at(-1)?.map((one) => one.split(':')[0])).toEqual(['user', 'assistant', 'tool', 'user'])
  })

  it('wakes a mission from a wait of days, and not from a question', async () => {
    const id = await world.create('Wait')
    const { model, heard } = hearing(script(callTools(['wait', { seconds: 259_200 }]), ask, say('Done')))
    const { run } = world.engine({ model })
    expect(await run()).toEqual(['waiting'])
    await send(id, 'never mind, do it now')
    expect(await run()).toEqual(['waiting'])
    expect(heard.at(-1)?.at(-1)).toBe('user: never mind, do it now')
    await send(id, 'well?')
    expect(await run()).toEqual(['waiting'])
    expect(heard).toHaveLength(2)
    const { questions = [] } = await view(id)
    await answerQuestion(world.missions, world.caller, id, {
      questionId: questions[0]?.questionId ?? '',
      answer: 'red',
    })
    expect(await run()).toEqual(['ended'])
    expect(heard.at(-1)?.at(-1)).toBe('user: well?')
    expect((await world.events(id)).find(({ type }) => type === 'timer.fired')?.data).toMatchObject({ early: true })
  })

  it('before the start is read at the first step', async () => {
    const id = await world.create('Say hello')
    await send(id, 'in French')
    const { model, heard } = hearing(script(say('Bonjour')))
    expect(await world.engine({ model }).run()).toEqual(['ended'])
    expect(heard).toEqual([['user: Say hello', 'user: in French']])
  })
})

describe('a pause', () => {
  it('lets the step end that is under way, starts nothing, and ends where it was', async () => {
    door = gate()
    const id = await world.create('Do it')
    const { model, heard } = hearing(script(callTools(['slow']), say('Done')))
    const { run } = world.engine({ model })
    const running = run()
    await door.reached
    expect(await pause(id)).toMatchObject({ changed: true, mission: { status: 'paused' } })
    expect(await world.row(id)).toMatchObject({ status: 'running' })
    door.open()
    expect(await running).toEqual(['waiting'])
    expect((await world.types(id)).slice(-2)).toEqual(['mission.paused', 'tool.finished'])
    expect(await world.row(id)).toMatchObject({ status: 'paused', owner: null, wakeInMs: null })
    expect(heard).toHaveLength(1)
    expect(await run()).toEqual([])

    expect(await resume(id)).toMatchObject({ changed: true, mission: { status: 'queued' } })
    expect(await run()).toEqual(['ended'])
    expect(await view(id)).toMatchObject({ status: 'completed', usage: { steps: 3 } })
  })

  it('before the start keeps a mission from being started', async () => {
    const id = await world.create('Do it')
    await pause(id)
    const { run } = world.engine()
    expect(await run()).toEqual([])
    expect(await world.row(id)).toMatchObject({ status: 'paused', wakeInMs: null, summary: { lastSeq: 2 } })
    await resume(id)
    expect(await run()).toEqual(['ended'])
  })

  it('is not ended by answers, messages and timers, which are all there when it is over', async () => {
    const id = await world.create('Do it')
    const { model, heard } = hearing(
      script(callTools(['ask_user', { question: '?' }], ['wait', { seconds: 60 }]), say('Done')),
    )
    const { run } = world.engine({ model })
    expect(await run()).toEqual(['waiting'])
    await pause(id)
    const { questions = [] } = await view(id)
    await answerQuestion(world.missions, world.caller, id, {
      questionId: questions[0]?.questionId ?? '',
      answer: 'red',
    })
    expect((await send(id, 'and quickly')).mission.status).toBe('paused')
    await world.letTimePass(id, 61_000)
    expect(await world.row(id)).toMatchObject({ status: 'paused', owner: null, wakeInMs: null })
    expect(await run()).toEqual([])
    await resume(id)
    expect(await run()).toEqual(['ended'])
    expect(heard.at(-1)?.map((one) => one.split(':')[0])).toEqual(['user', 'assistant', 'tool', 'tool', 'user'])
  })

  it('can be ended by a cancel', async () => {
    const id = await world.create('Do it')
    await pause(id)
    await cancelMission(world.missions, world.caller, id, undefined)
    expect(await view(id)).toMatchObject({ status: 'cancelled' })
    expect(await world.row(id)).toMatchObject({ status: 'cancelled', owner: null, wakeInMs: null })
  })

  it('of a mission whose instance died holds when another one takes it over', async () => {
    door = gate()
    const id = await world.create('Do it')
    const first = world.engine({ model: script(callTools(['slow'])) })
    const lost = first.run()
    await door.reached
    await pause(id)
    await world.expire(first.instance)
    const { run } = world.engine()
    expect(await run()).toEqual(['waiting'])
    expect(await world.row(id)).toMatchObject({ status: 'paused', owner: null, wakeInMs: null })
    door.open()
    await lost
  })
})
