import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createDatabases } from '../../src/db/connection.ts'
import type { EventDraft } from '../../src/domain/event.ts'
import { changeMission } from '../../src/missions/change-mission.ts'
import { DEFAULT_TENANT, type MissionsContext } from '../../src/missions/context.ts'
import { Refusal } from '../../src/missions/refusal.ts'
import type { MissionView } from '../../src/missions/view.ts'
import { startTestEnvironment, type TestEnvironment } from '../support/environment.ts'
import {
  create,
  expectEndedJournal,
  problem,
  follow,
  journalOf,
  MISSIONS,
  post,
  reach,
  read,
  waitingForAnswer,
  withoutChange,
  type Answer,
} from './client.ts'

let env: TestEnvironment
beforeAll(async () => {
  env = await startTestEnvironment()
})
afterAll(() => env.stop())

function cancel(id: string, body: unknown = ''): Promise<Answer> {
  return post(env, `${MISSIONS}/${id}/cancel`, body)
}

function answer(id: string, questionId: unknown, given: unknown): Promise<Answer> {
  return post(env, `${MISSIONS}/${id}/answers`, { questionId, answer: given })
}

async function waitingForTime(): Promise<string> {
  const { id } = await create(env, { goal: 'Wait 600 seconds and say done' })
  await reach(env, id, 'waiting')
  return id
}

describe('cancelling a mission', () => {
  test('that waits is answered with 202, and with 200 from then on', async () => {
    const id = await waitingForTime()
    const first = await cancel(id, { reason: 'no longer needed' })
    expect(first.status).toBe(202)
    expect(first.body as MissionView).toMatchObject({ id, status: 'cancelled', endedAt: expect.any(String) })
    expect(first.body as MissionView).not.toHaveProperty('waitingFor')
    const again = await withoutChange(env, () => cancel(id))
    expect([again.status, again.text]).toEqual([200, first.text])
    const journal = await expectEndedJournal(env, id)
    expect(journal.at(-1)).toMatchObject({
      type: 'mission.cancelled',
      data: { by: 'local', reason: 'no longer needed' },
    })
    expect(await read(env, id)).toMatchObject({ status: 'cancelled', lastSeq: journal.length })
  })

  test('ends its event stream with mission.cancelled', async () => {
    const id = await waitingForTime()
    const stream = follow(env, `${MISSIONS}/${id}/events`)
    expect((await cancel(id)).status).toBe(202)
    const { events } = await stream
    expect(events.map((event) => event.event).at(-1)).toBe('mission.cancelled')
  })

  test('that has completed is refused, and changes nothing', async () => {
    const { id } = await create(env, { goal: 'Say hello' })
    await reach(env, id, 'completed')
    expect(await withoutChange(env, () => cancel(id))).toEqual(problem(409, 'illegal_state'))
  })

  test.each([
    ['{"reason":1}', ['/reason']],
    ['{"reason":"\\u0000"}', ['/reason']],
    ['{"force":true}', ['/force']],
    ['[]', ['']],
    ['{', []],
  ])('with the body %s is refused, and changes nothing', async (body, pointers) => {
    const id = await waitingForTime()
    expect(await withoutChange(env, () => cancel(id, body))).toEqual(problem(400, 'invalid_request', pointers))
  })

  test('at the moment of its start leaves one end and no gap (F58)', async () => {
    const ids = await Promise.all(
      Array.from({ length: 12 }, async (_, index) => {
        const { id } = await create(env, { goal: 'Make a plan with five items and work through them' })
        await sleep(index * 15)
        expect((await cancel(id)).status).toBeOneOf([202, 409])
        return id
      }),
    )
    for (const id of ids) {
      const { status } = await reach(env, id, 'cancelled', 'completed')
      expect((await expectEndedJournal(env, id)).at(-1)?.type).toBe(`mission.${status}`)
    }
  })

  test('from ten sides at once ends it once', async () => {
    const id = await waitingForTime()
    const answers = await Promise.all(Array.from({ length: 10 }, () => cancel(id)))
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array.from({ length: 9 }, () => 200), 202])
    await expectEndedJournal(env, id)
  })
})

describe('answering a question', () => {
  test('lets the mission go on with the answer', async () => {
    const { id, questionId } = await waitingForAnswer(env)
    const waiting = await read(env, id)
    expect(waiting).toMatchObject({ status: 'waiting', waitingFor: { kind: 'question' } })
    expect(waiting.questions).toEqual([
      {
        questionId,
        kind: 'question',
        text: 'What is your favourite colour?',
        schema: { type: 'string' },
        askedAt: expect.any(String),
      },
    ])
    const accepted = await answer(id, questionId, 'red')
    expect([accepted.status, (accepted.body as MissionView).questions]).toEqual([200, undefined])
    expect((await reach(env, id, 'completed')).result?.text).toContain('red')
    expect((await expectEndedJournal(env, id)).find(({ type }) => type === 'question.answered')?.data).toEqual({
      questionId,
      answer: 'red',
      by: 'local',
    })
  })

  test('is refused for a question that the mission did not ask, and changes nothing', async () => {
    const { id } = await waitingForAnswer(env)
    for (const unknown of ['q-other', '__proto__', 'constructor', '\0']) {
      expect(await withoutChange(env, () => answer(id, unknown, 'red'))).toEqual(problem(404, 'not_found'))
    }
  })

  test.each<[what: string, body: (questionId: string) => unknown, ...pointers: string[]]>([
    ['of the wrong type', (questionId) => ({ questionId, answer: 5 }), '/answer'],
    ['of null', (questionId) => ({ questionId, answer: null }), '/answer'],
    ['that is missing', (questionId) => ({ questionId }), '/answer'],
    ['with U+0000', (questionId) => ({ questionId, answer: 'a\0' }), '/answer'],
    ['without a question', () => ({ answer: 'red' }), '/questionId'],
    ['with more than that', (questionId) => ({ questionId, answer: 'red', by: 'somebody' }), '/by'],
  ])('with an answer %s is refused by name, and changes nothing', async (_what, body, ...pointers) => {
    const { id, questionId } = await waitingForAnswer(env)
    const given = () => post(env, `${MISSIONS}/${id}/answers`, body(questionId))
    expect(await withoutChange(env, given)).toEqual(problem(400, 'invalid_request', pointers))
  })

  test('over 64 KiB is refused, and changes nothing', async () => {
    const { id, questionId } = await waitingForAnswer(env)
    const given = () => answer(id, questionId, 'a'.repeat(64 * 1024))
    expect(await withoutChange(env, given)).toEqual(problem(413, 'too_large', ['/answer']))
  })

  test('names the member of an answer that does not fit', async () => {
    const { id } = await waitingForAnswer(env)
    const schema = { type: 'object', properties: { 'a/b~c': { type: 'array', items: { type: 'integer' } } } }
    const data = {
      questionId: 'form',
      callId: 'none',
      kind: 'question',
      text: '?',
      schema,
      onDeadline: { action: 'fail' },
    }
    await env.owner.query(
      `insert into taskforce.events (mission_id, seq, epoch, v, type, data, tenant_id)
       select mission_id, max(seq) + 1, max(epoch), 1, 'question.asked', $2, tenant_id
       from taskforce.events where mission_id = $1 group by mission_id, tenant_id`,
      [id, data],
    )
    const given = () => answer(id, 'form', { 'a/b~c': [1, 2, 'x'] })
    expect(await withoutChange(env, given)).toEqual(problem(400, 'invalid_request', ['/answer/a~1b~0c/2']))
  })

  test('a second time is refused, and changes nothing', async () => {
    const { id, questionId } = await waitingForAnswer(env)
    expect((await answer(id, questionId, 'red')).status).toBe(200)
    await reach(env, id, 'completed')
    for (const again of ['red', 'blue', 5]) {
      expect(await withoutChange(env, () => answer(id, questionId, again))).toEqual(problem(409, 'already_answered'))
    }
  })

  test('from ten people at once takes one answer (F55, I12)', async () => {
    const { id, questionId } = await waitingForAnswer(env)
    const colours = Array.from({ length: 10 }, (_, index) => `colour ${index}`)
    const answers = await Promise.all(colours.map((colour) => answer(id, questionId, colour)))
    const won = colours.filter((_, index) => answers[index]?.status === 200)
    expect(won).toHaveLength(1)
    for (const lost of answers.filter(({ status }) => status !== 200))
      expect(lost).toEqual(problem(409, 'already_answered'))
    expect((await reach(env, id, 'completed')).result?.text).toContain(won[0])
    const recorded = (await expectEndedJournal(env, id)).filter(({ type }) => type === 'question.answered')
    expect(recorded).toMatchObject([{ data: { answer: won[0] } }])
  })

  test('of a cancelled mission is refused, and changes nothing (F57)', async () => {
    const { id, questionId } = await waitingForAnswer(env)
    await cancel(id)
    expect(await withoutChange(env, () => answer(id, questionId, 'red'))).toEqual(problem(409, 'illegal_state'))
  })

  test('and cancelling at once leaves one of both', async () => {
    const { id, questionId } = await waitingForAnswer(env)
    const [answered, cancelled] = await Promise.all([answer(id, questionId, 'red'), cancel(id)])
    const { status } = await reach(env, id, 'cancelled', 'completed')
    const types = (await journalOf(env, id)).map(({ type }) => type)
    await expectEndedJournal(env, id)
    expect(types.includes('question.answered')).toBe(answered.status === 200)
    expect(status === 'cancelled').toBe(cancelled.status === 202)
  })
})

describe('a change that is refused', () => {
  /** Looks at the mission as if nothing were decided yet, and finds at its n-th look that somebody was faster. */
  async function refusedAtLook(n: number): Promise<string[]> {
    const id = await waitingForTime()
    const url = env.settings['DATABASE_URL'] ?? ''
    const databases = createDatabases({ url, pooler: undefined, onError: () => undefined })
    const woken: string[] = []
    const wakes = { send: async (missionId: string) => void woken.push(missionId) }
    let looks = 0
    const decide = (): EventDraft => {
      looks++
      if (looks === n) throw new Refusal('already_answered', 'Somebody was faster.')
      return { type: 'mission.cancelled', data: { by: 'test' } }
    }
    const context = { databases, wakes } as unknown as MissionsContext
    const caller = { tenantId: DEFAULT_TENANT, name: 'test' }
    const changing = () => changeMission(context, caller, id, { decide, apply: async () => undefined })
    await withoutChange(env, () => expect(changing()).rejects.toThrow('Somebody was faster.'))
    await databases.close()
    return woken.map((one) => (one === id ? 'this mission' : one))
  }

  test('under its lock gives back the permit of a claim that it may have turned away', async () => {
    expect(await refusedAtLook(2)).toEqual(['this mission'])
  })

  test('at first sight takes no lock and sends nothing', async () => {
    expect(await refusedAtLook(1)).toEqual([])
  })
})
