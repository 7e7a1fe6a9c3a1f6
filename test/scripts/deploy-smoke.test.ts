import { afterAll, beforeAll, expect, it } from 'vitest'
import type { DeployLog } from '../../scripts/deploy/deploy-log.ts'
import { smoke } from '../../scripts/deploy/smoke.ts'
import { systemClock } from '../../src/engine/system-clock.ts'
import { version } from '../../src/version.ts'
import { startTestEnvironment, type TestEnvironment } from '../support/environment.ts'

const KEY = 'a-key-of-the-smoke-test'
const said: string[] = []
const log: DeployLog = {
  file: '',
  write: () => undefined,
  say: (line) => void said.push(line),
  keep: (secret) => secret,
  scrub: (text) => text,
}
const clock = { ...systemClock, sleep: (ms: number) => systemClock.sleep(Math.min(ms, 20)) }

let app: TestEnvironment
beforeAll(async () => {
  app = await startTestEnvironment({ AUTH: 'keys', TASKFORCE_API_KEY: KEY })
})
afterAll(() => app.stop())

const options = () => ({
  url: app.url,
  apiKey: KEY,
  expected: { version },
  goal: 'Say hello',
  profile: undefined,
  clock,
  log,
})

it('runs a mission of the real app to its end and reads its events again from the middle', async () => {
  await smoke(options())
  const { rows } = await app.owner.query(`select status, labels from taskforce.missions`)
  expect(rows).toEqual([{ status: 'completed', labels: { origin: 'smoke-test' } }])
  // By which whoever reads the logs finds it: the names of the seed.
  const started = app.logs.map(({ message }) => message).find((line) => line.includes('"agent.execution.started"'))
  expect(JSON.parse(started ?? '{}')).toMatchObject({
    event: 'agent.execution.started',
    level: 'info',
    timestamp: expect.stringMatching(/Z$/),
    session_id: expect.any(String),
    profile: 'dev',
  })
})

it.each([
  [
    'another version',
    { expected: { version: '9.9.9' } },
    /answers version \S+ \(build [0-9a-f]{16}\) in place of version 9\.9\.9/,
  ],
  [
    'another build of the same version',
    { expected: { version, build: '0123456789abcdef' } },
    /\(build [0-9a-f]{16}\) in place of version \S+ \(build 0123456789abcdef\)/,
  ],
  ['a wrong key', { apiKey: 'wrong' }, /a new mission is answered with 401/],
  ['a profile that is not there', { profile: 'nobody' }, /a new mission is answered with 400/],
  ['an address where nothing is', { url: 'http://127.0.0.1:1' }, /in place of version/],
])('%s: says what it got', async (_, over, message) => {
  await expect(smoke({ ...options(), ...over })).rejects.toMatchObject({
    code: 'smoke_failed',
    message: expect.stringMatching(message),
  })
})
