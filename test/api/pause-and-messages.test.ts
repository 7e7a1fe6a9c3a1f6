import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { MissionView } from '../../src/missions/view.ts'
import { startTestEnvironment, type TestEnvironment } from '../support/environment.ts'
import {
  call,
  create,
  expectEndedJournal,
  journalOf,
  MISSIONS,
  post,
  problem,
  reach,
  read,
  waitingForAnswer,
  withoutChange,
  type Answer,
} from './client.ts'

const NOBODY = '0198f6a0-1234-7abc-8def-0123456789ab'

let env: TestEnvironment
beforeAll(async () => {
  env = await startTestEnvironment()
})
afterAll(() => env.stop())

function tell(id: string, what: string, body: unknown = ''): Promise<Answer> {
  return post(env, `${MISSIONS}/${id}/${what}`, body)
}

async function waitingForTime(): Promise<string> {
  const { id } = await create(env, { goal: 'Wait 600 seconds and say done' })
  await reach(env, id, 'waiting')
  return id
}

async function completed(): Promise<string> {
  const { id } = await create(env, { goal: 'Say hello' })
  await reach(env, id, 'completed')
  return id
}

describe('pausing a mission', () => {
  test('is answered with 202, with 200 from then on, and undone by resume in the same way', async () => {
    const { id, questionId } = await waitingForAnswer(env)
    const first = await tell(id, 'pause', { reason: 'lunch' })
    expect([first.status, (first.body as MissionView).status]).toEqual([202, 'paused'])
    expect(first.body).not.toHaveProperty('waitingFor')
    const again = await withoutChange(env, () => tell(id, 'pause'))
    expect([again.status, again.text]).toEqual([200, first.text])
    const list = await call(env, `${MISSIONS}?status=paused`)
    expect((list.body as { items: MissionView[] }).items.map((one) => one.id)).toEqual([id])

    await post(env, `${MISSIONS}/${id}/answers`, { questionId, answer: 'red' })
    expect(await read(env, id)).toMatchObject({ status: 'paused', lastSeq: 6 })
    const resumed = await tell(id, 'resume', { reason: 'back' })
    expect([resumed.status, (resumed.body as MissionView).status]).toEqual([202, 'queued'])
    expect((await reach(env, id, 'completed')).result?.text).toContain('red')
    const journal = await expectEndedJournal(env, id)
    expect(journal.filter(({ type }) => /paused|resumed/.test(type)).map(({ data }) => data)).toEqual([
      { by: 'local', reason: 'lunch' },
      { by: 'local', reason: 'back' },
    ])
  })

  test('that was not paused changes nothing', async () => {
    const id = await waitingForTime()
    expect((await withoutChange(env, () => tell(id, 'resume'))).status).toBe(200)
  })

  test('from ten sides at once pauses it once', async () => {
    const id = await waitingForTime()
    const answers = await Promise.all(Array.from({ length: 10 }, () => tell(id, 'pause')))
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array.from({ length: 9 }, () => 200), 202])
    expect((await tell(id, 'cancel')).status).toBe(202)
    await expectEndedJournal(env, id)
  })

  test.each(['pause', 'resume', 'messages'])('that has ended is refused by %s, and changes nothing', async (what) => {
    const id = await completed()
    const body = what === 'messages' ? { content: 'well?' } : ''
    const words = what === 'messages' ? `/api/v1/missions/${id}/continue` : what
    expect(await withoutChange(env, () => tell(id, what, body))).toEqual(problem(409, 'illegal_state', [], words))
  })

  test.each(['pause', 'resume', 'messages'])('that is not there is refused by %s', async (what) => {
    const body = what === 'messages' ? { content: 'well?' } : ''
    expect(await tell(NOBODY, what, body)).toEqual(problem(404, 'not_found'))
  })

  test.each<[what: string, body: string, pointers: string[]]>([
    ['pause', '{"reason":1}', ['/reason']],
    ['resume', '{"force":true}', ['/force']],
    ['messages', '{}', ['/content']],
    ['messages', '{"content":" "}', ['/content']],
    ['messages', '{"content":"a\\u0000"}', ['/content']],
    ['messages', JSON.stringify({ content: 'x'.repeat(32 * 1024 + 1) }), ['/content']],
    ['messages', '{"content":"x","role":"assistant"}', ['/role']],
    ['messages', '', []],
  ])('by %s with the body %.40s is refused, and changes nothing', async (what, body, pointers) => {
    const id = await waitingForTime()
    expect(await withoutChange(env, () => tell(id, what, body))).toEqual(problem(400, 'invalid_request', pointers))
  })
})

describe('a message', () => {
  test('ends a wait and is read', async () => {
    const id = await waitingForTime()
    const answer = await tell(id, 'messages', { content: 'Say hello' })
    expect([answer.status, (answer.body as MissionView).id]).toEqual([200, id])
    expect((await reach(env, id, 'completed')).result?.text).toContain('Hello!')
    const journal = await expectEndedJournal(env, id)
    expect(journal.map(({ type }) => type).slice(3)).toEqual([
      'timer.set',
      'mission.message',
      'timer.fired',
      'model.answered',
      'mission.completed',
    ])
    expect(journal[4]?.data).toEqual({ role: 'user', content: 'Say hello', by: 'local' })
  })

  test('is refused where a hundred wait to be read', async () => {
    const { id } = await waitingForAnswer(env)
    await env.owner.query(
      `insert into taskforce.events (mission_id, seq, epoch, v, type, data, tenant_id)
       select mission_id, max(seq) + n, max(epoch), 1, 'mission.message', $2, tenant_id
       from taskforce.events, generate_series(1, 99) n where mission_id = $1 group by mission_id, tenant_id, n`,
      [id, { role: 'user', content: 'well?', by: 'test' }],
    )
    expect((await tell(id, 'messages', { content: '100' })).status).toBe(200)
    await reach(env, id, 'waiting')
    const refused = await withoutChange(env, () => tell(id, 'messages', { content: '101' }))
    expect(refused).toEqual(problem(409, 'illegal_state', [], '100 messages'))
  })

  test('with an Idempotency-Key is said once, however often it is sent, and also after the end', async () => {
    const { id } = await waitingForAnswer(env)
    const send = (content: string, mission = id) =>
      post(env, `${MISSIONS}/${mission}/messages`, { content }, { 'idempotency-key': 'said-once' })
    const answers = await Promise.all(Array.from({ length: 10 }, () => send('Once')))
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
    expect(answers.filter(({ headers }) => headers.get('idempotent-replayed') === 'true')).toHaveLength(9)
    const conflict = problem(422, 'idempotency_conflict')
    expect(await withoutChange(env, () => send('Twice'))).toEqual(conflict)
    const other = await waitingForTime()
    expect(await withoutChange(env, () => send('Once', other))).toEqual(conflict)
    await tell(id, 'cancel', {})
    expect((await send('Once')).status).toBe(200)
    const messages = (await journalOf(env, id)).filter(({ type }) => type === 'mission.message')
    expect(messages).toMatchObject([{ data: { content: 'Once' } }])
  })

  test('from ten people at once are all there', async () => {
    const { id, questionId } = await waitingForAnswer(env)
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) => tell(id, 'messages', { content: `message ${n}` })),
    )
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200))
    await post(env, `${MISSIONS}/${id}/answers`, { questionId, answer: 'red' })
    await reach(env, id, 'completed')
    const journal = await expectEndedJournal(env, id)
    expect(journal.filter(({ type }) => type === 'mission.message')).toHaveLength(10)
  })
})
