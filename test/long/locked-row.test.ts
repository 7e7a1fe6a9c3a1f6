import { afterAll, beforeAll, expect, test } from 'vitest'
import { call, create, MISSIONS, post, problem, reach } from '../api/client.ts'
import { startTestEnvironment, type TestEnvironment } from '../support/environment.ts'

let env: TestEnvironment
beforeAll(async () => {
  env = await startTestEnvironment()
})
afterAll(() => env.stop())

test('a request that waits for a locked row gives up after 5 s, and says that nothing was done', async () => {
  const { id } = await create(env, { goal: 'Wait 600 seconds and say done' })
  await reach(env, id, 'waiting')
  const client = await env.owner.connect()
  try {
    await client.query('begin')
    await client.query('select from taskforce.missions where id = $1 for update', [id])
    expect(await post(env, `${MISSIONS}/${id}/cancel`, {})).toEqual(problem(503, 'not_ready', [], 'Nothing was done'))
  } finally {
    await client.query('rollback')
    client.release()
  }
  expect((await call(env, `${MISSIONS}/${id}`)).body).toMatchObject({ status: 'waiting' })
  expect(await post(env, `${MISSIONS}/${id}/cancel`, {})).toMatchObject({ status: 202, body: { status: 'cancelled' } })
})
