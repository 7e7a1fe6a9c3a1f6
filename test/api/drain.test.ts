import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { clearDrain, setDrain } from '../../src/db/queries/drain.ts'
import type { MissionView } from '../../src/missions/view.ts'
import { startTestEnvironment, type TestEnvironment } from '../support/environment.ts'
import { call, MISSIONS, post, problem, withoutChange } from './client.ts'

let env: TestEnvironment
let ended: MissionView
let open: MissionView
beforeAll(async () => {
  env = await startTestEnvironment()
  ended = (await post(env, MISSIONS, { goal: 'Say hello' }, { prefer: 'wait=20' })).body as MissionView
  const goal = 'Ask me for my favourite colour and greet me with it'
  open = (await post(env, MISSIONS, { goal }, { prefer: 'wait=20' })).body as MissionView
  await setDrain(env.owner, { by: 'ada', reason: 'hunter2' })
})
afterAll(() => env.stop())

const refused = problem(503, 'not_ready', [], 'no new missions are taken')

describe('while the deployment drains', () => {
  test.each([
    ['a mission', MISSIONS, { goal: 'Say hello' }, {}],
    ['a mission that is waited for', MISSIONS, { goal: 'Say hello' }, { prefer: 'wait=5' }],
    ['a mission under a key', MISSIONS, { goal: 'Say hello' }, { 'idempotency-key': 'again' }],
    ['a mission with files', MISSIONS, { goal: 'Say hello', files: [{ name: 'a.txt', content: 'x' }] }, {}],
    ['a mission that goes on from another', 'continue', { content: 'And again' }, {}],
    ['a fork', 'fork', { content: 'In French' }, {}],
  ])('%s is refused, with when to come again', async (_, path, body, headers) => {
    const where = path === MISSIONS ? path : `${ended.links.self}/${path}`
    const answer = await withoutChange(env, () => post(env, where, body, headers))
    expect(answer).toEqual(refused)
    expect(answer.headers.get('retry-after')).toBe('5')
    expect(answer.text).not.toContain('hunter2')
  })

  test('it is degraded, and says who drains until when', async () => {
    const sweep = async () => {
      const { body } = await call(env, '/health/ready')
      return body as { status: string; checks: { sweep: { status: string; detail?: string } } }
    }
    const forEver = await sweep()
    expect(forEver).toMatchObject({ status: 'degraded', checks: { sweep: { status: 'warn' } } })
    expect(forEver.checks.sweep.detail).toMatch(/^drained by ada until it is cleared: nothing is claimed/)
    await setDrain(env.owner, { by: 'restore', reason: 'hunter2', seconds: 600 })
    expect((await sweep()).checks.sweep.detail).toMatch(/^drained by restore until 20\d\d-\d\d-\d\dT[\d:.]+Z: /)
    expect(JSON.stringify(await sweep())).not.toContain('hunter2')
    await setDrain(env.owner, { by: 'ada', reason: 'hunter2' })
  })

  test('missions can be read, and said things to', async () => {
    expect((await call(env, ended.links.self)).body).toEqual(ended)
    expect((await call(env, ended.links.events)).status).toBe(200)
    expect((await post(env, open.links.cancel, {})).status).toBe(202)
  })

  test('the same request is taken when that is over', async () => {
    await clearDrain(env.owner)
    expect((await call(env, '/health/ready')).text).not.toContain('drained')
    const answer = await post(env, MISSIONS, { goal: 'Say hello' }, { 'idempotency-key': 'again', prefer: 'wait=20' })
    expect([answer.status, (answer.body as MissionView).status]).toEqual([200, 'completed'])
  })
})
