import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Journal } from '../../src/engine/ports.ts'
import { answerQuestion } from '../../src/missions/answer-question.ts'
import { readMission } from '../../src/missions/read-mission.ts'
import { callTools, createWorld, gate, script, tool, type World } from '../support/engine.ts'

let world: World
beforeEach(async () => {
  world = await createWorld([tool('echo', () => 'echo')])
})
afterEach(() => world.stop())

const ask = (over: object = {}) => callTools(['ask_user', { question: 'Which colour?', ...over }])

async function openQuestion(id: string): Promise<string> {
  const { questions = [] } = await readMission(world.missions, world.caller, id)
  return questions[0]?.questionId ?? 'there is no open question'
}

async function answer(id: string, given: unknown): Promise<void> {
  await answerQuestion(world.missions, world.caller, id, { questionId: await openQuestion(id), answer: given })
}

describe('a mission with a question', () => {
  it('waits without an owner until its time is over, goes on when somebody answers, and tells the model', async () => {
    const id = await world.create('Ask', { limits: { wallMs: 3_600_000 } })
    let heard = ''
    const { run } = world.engine({
      model: (messages, signal) => {
        heard = messages.at(-1)?.content ?? ''
        return script(ask())(messages, signal)
      },
    })
    expect(await run()).toEqual(['waiting'])
    const row = await world.row(id)
    expect(row).toMatchObject({ status: 'waiting', owner: null, summary: { waitingFor: { kind: 'question' } } })
    expect(row.wakeInMs).toBeGreaterThan(3_500_000)
    expect(await run()).toEqual([])

    await answer(id, 'green')
    expect(await world.row(id)).toMatchObject({ status: 'queued', owner: null })
    expect(await run()).toEqual(['ended'])
    expect(heard).toContain('{"answer":"green"}')
    expect(await world.types(id)).toEqual([
      'mission.created',
      'mission.started',
      'model.answered',
      'question.asked',
      'question.answered',
      'model.answered',
      'mission.completed',
    ])
  })

  it('goes on when the answer comes at the moment in which it lies down to wait', async () => {
    const id = await world.create('Ask')
    const door = gate()
    const { run } = world.engine({
      model: script(ask(), ask()),
      over: ({ journal }) => ({ journal: holdFirst(journal, door) }),
    })
    const running = run()
    await door.reached
    await answer(id, 'green')
    door.open()
    // The release is refused, the answer is read, and the same slice asks the next question and waits for that.
    expect(await running).toEqual(['waiting'])
    await answer(id, 'blue')
    expect(await run()).toEqual(['ended'])
    expect(await world.row(id)).toMatchObject({ status: 'completed', epoch: 2 })
    expect((await world.types(id)).filter((type) => type === 'question.answered')).toHaveLength(2)
  })

  it('takes every answer that comes at any moment around its release', async () => {
    const asked = script(ask(), ask(), ask(), ask(), ask())
    const id = await world.create('Ask')
    const { engine } = world.engine({ model: asked })
    const row = () => world.row(id)
    const ends: string[] = []
    while ((await row()).status !== 'completed') {
      const slice = engine.runOne()
      await expect
        .poll(() => openQuestion(id), { interval: 1 })
        .toMatch(/^q/)
        .catch(() => undefined)
      if ((await openQuestion(id)).startsWith('q')) await answer(id, 'now')
      ends.push((await slice)?.end ?? 'nothing')
    }
    expect((await world.types(id)).filter((type) => type === 'question.answered')).toHaveLength(5)
    expect(ends.at(-1)).toBe('ended')
  })

  it('goes on with the default at the deadline, not before, and refuses the answer that is late', async () => {
    const id = await world.create('Ask')
    const { run } = world.engine({ model: script(ask({ deadlineSeconds: 600, defaultAnswer: 'blue' })) })
    await run()
    const questionId = await openQuestion(id)
    await world.sql('update taskforce.missions set wake_at = now() where id = $1', [id])
    expect(await run()).toEqual(['waiting'])
    await world.letTimePass(id, 601_000)
    expect(await run()).toEqual(['ended'])
    expect((await world.types(id)).slice(3, 5)).toEqual(['question.asked', 'question.expired'])
    await expect(answerQuestion(world.missions, world.caller, id, { questionId, answer: 'red' })).rejects.toMatchObject(
      { code: 'already_answered' },
    )
  })

  it('lets its other tools end, and takes an answer that comes while they run', async () => {
    const door = gate()
    let runs = 0
    await world.stop()
    world = await createWorld([tool('slow', async () => (runs++, await door.pass(), 'slow'))])
    const id = await world.create('Ask')
    const { run } = world.engine({
      model: script(callTools(['slow'], ['ask_user', { question: 'Which colour?' }])),
    })
    const running = run()
    await door.reached
    await expect.poll(() => openQuestion(id)).toMatch(/^q/)
    await answer(id, 'green')
    door.open()
    expect(await running).toEqual(['ended'])
    const events = await world.events(id)
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1))
    expect(runs).toBe(1)
    expect(events.slice(3, 6).map(({ type }) => type)).toEqual(['question.asked', 'question.answered', 'tool.finished'])
  })

  /** Holds the first release at a gate: an append of no events, only with a change of the row. */
  function holdFirst(journal: Journal, door: ReturnType<typeof gate>): Journal {
    let first = true
    return {
      ...journal,
      append: async (...args) => {
        if (first && args[2].length === 0) {
          first = false
          await door.pass()
        }
        return journal.append(...args)
      },
    }
  }
})

describe('a timer', () => {
  it('fires once, by the time of the database, and never before it is due', async () => {
    const id = await world.create('Wait')
    const { run, wakes } = world.engine({ model: script(callTools(['wait', { seconds: 3600 }])) })
    expect(await run()).toEqual(['waiting'])
    expect(wakes.sent).toEqual([])
    // A wake that comes too early finds nothing to do.
    await world.sql('update taskforce.missions set wake_at = now() where id = $1', [id])
    expect(await run()).toEqual(['waiting'])
    expect((await world.row(id)).wakeInMs).toBeGreaterThan(3_500_000)
    await world.letTimePass(id, 3_601_000)
    const engines = Array.from({ length: 3 }, () => world.engine({ model: script() }))
    expect((await Promise.all(engines.map((one) => one.run()))).flat()).toEqual(['ended'])
    const events = await world.events(id)
    expect(events.filter(({ type }) => type === 'timer.fired')).toHaveLength(1)
    const due = events.flatMap((event) => (event.type === 'timer.set' ? [Date.parse(event.data.until)] : []))
    const fired = events.flatMap((event) => (event.type === 'timer.fired' ? [event.at] : []))
    expect(fired[0]).toBeGreaterThanOrEqual(due[0] as number)
  })

  it('that is due soon is followed by a wake for its moment', async () => {
    const id = await world.create('Wait')
    const { run, wakes } = world.engine({ model: script(callTools(['wait', { seconds: 30 }])) })
    await run()
    expect(wakes.sent).toEqual([{ missionId: id, inSeconds: expect.any(Number) }])
    expect(wakes.sent[0]?.inSeconds).toSatisfy(
      (seconds: number) => Number.isInteger(seconds) && seconds > 0 && seconds <= 30,
    )
  })

  it('of several wakes the mission at the first', async () => {
    const id = await world.create('Wait')
    const { run } = world.engine({
      model: script(callTools(['wait', { seconds: 7200 }], ['wait', { seconds: 600 }])),
    })
    await run()
    expect((await world.row(id)).wakeInMs).toBeLessThanOrEqual(600_000)
    await world.letTimePass(id, 601_000)
    expect(await run()).toEqual(['waiting'])
    expect((await world.types(id)).filter((type) => type === 'timer.fired')).toHaveLength(1)
    expect((await world.row(id)).wakeInMs).toBeGreaterThan(6_000_000)
  })

  it('goes on where a wake could not be sent', async () => {
    const id = await world.create('Wait')
    const error = new Error('The queue is down')
    const { run, told } = world.engine({
      model: script(callTools(['wait', { seconds: 5 }])),
      over: () => ({ wakes: { send: () => Promise.reject(error) } }),
    })
    expect(await run()).toEqual(['waiting'])
    expect(told.wakeFailed).toEqual([[{ missionId: id, error }]])
    expect(await world.row(id)).toMatchObject({ status: 'waiting', owner: null })
  })
})
