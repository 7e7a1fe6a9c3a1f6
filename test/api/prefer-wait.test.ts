import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { preferredWait } from '../../src/api/preferred-wait.ts'
import type { MissionView } from '../../src/missions/view.ts'
import { startTestEnvironment, type TestEnvironment } from '../support/environment.ts'
import { journalOf, MISSIONS, post, problem, withoutChange } from './client.ts'

let env: TestEnvironment
beforeAll(async () => {
  env = await startTestEnvironment()
})
afterAll(() => env.stop())

async function ask(goal: string, wait: number, headers: Record<string, string> = {}) {
  const answer = await post(env, MISSIONS, { goal }, { prefer: `wait=${wait}`, ...headers })
  return { ...answer, mission: answer.body as MissionView }
}

describe('Prefer: wait', () => {
  test('gives the mission when it has ended, run from its creation on by the instance that was asked', async () => {
    const { status, headers, mission } = await ask('Say hello', 20)
    expect([status, headers.get('preference-applied'), headers.get('retry-after')]).toEqual([200, 'wait=20', null])
    expect(mission).toMatchObject({ status: 'completed', result: { text: expect.stringMatching(/hello/i) } })
    expect(headers.get('location')).toBe(mission.links.self)
    const { rows } = await env.owner.query('select distinct epoch from taskforce.events where mission_id = $1', [
      mission.id,
    ])
    expect(rows).toEqual([{ epoch: 1 }])
    expect((await journalOf(env, mission.id)).slice(0, 2)).toMatchObject([
      { type: 'mission.created' },
      { type: 'mission.started' },
    ])
  })

  test('answers at once when the mission needs a person', async () => {
    const { status, mission } = await ask('Ask me for my favourite colour and greet me with it', 20)
    expect(status).toBe(202)
    expect(mission).toMatchObject({ status: 'waiting', questions: [{ kind: 'question' }] })
  })

  test('waits through a pause of the mission, and no longer than it was asked to', async () => {
    expect(await ask('Wait 1 seconds and say done', 20)).toMatchObject({
      status: 200,
      mission: { status: 'completed' },
    })
    const { status, headers, mission } = await ask('Wait 60 seconds and say done', 1)
    expect([status, mission.status, headers.get('retry-after')]).toEqual([202, 'waiting', '2'])
  })

  test('watches a mission that may not start at once', async () => {
    await env.owner.query('update taskforce.tenants set max_running = 1')
    expect(await ask('Say hello', 20)).toMatchObject({ status: 200, mission: { status: 'completed' } })
    await env.owner.query('update taskforce.tenants set max_running = null')
  })

  test('goes together with an Idempotency-Key', async () => {
    const key = { 'idempotency-key': 'waited-for' }
    const [one, other] = await Promise.all([ask('Say hello', 20, key), ask('Say hello', 20, key)])
    expect([one.status, other.status]).toEqual([200, 200])
    expect(one.mission).toEqual(other.mission)
  })

  test('changes nothing where the request is refused, and takes no place for good', async () => {
    await withoutChange(env, async () => {
      for (let n = 0; n < 40; n++) {
        const refused = await post(env, MISSIONS, { goal: 'x', profile: 'none' }, { prefer: 'wait=5' })
        expect(refused).toEqual(problem(400, 'unknown_profile', ['/profile']))
      }
    })
    expect(await ask('Say hello', 20)).toMatchObject({ status: 200 })
  })
})

test.each([
  ['wait=10', 10],
  ['respond-async, WAIT = 7', 7],
  ['handling=lenient; x=1, wait="3"', 3],
  ['wait', 60],
  ['wait=100000', 100],
  ['wait=0', 0],
  ['wait=-1', undefined],
  ['wait=soon', undefined],
  ['waiting=5', undefined],
  ['', undefined],
])('the preference %j means %s seconds', (prefer, seconds) => {
  const headers = new Headers({ prefer })
  expect(preferredWait({ method: 'POST', url: 'http://127.0.0.1/', headers, body: null })).toBe(seconds)
})
