import { readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { buildBundle } from '../../src/local/build/build-bundle.ts'
import { startBackends } from './backends.ts'
import { describeFunctions, expectedFunctions } from './expected-functions.ts'
import { startSecondHost, type SecondHost } from './hosts/second-host.ts'
import { deliver, request } from './hosts/worker-host.ts'
import { expectMissionToRun } from './run-a-mission.ts'

const root = join(import.meta.dirname, '../..')
const wake = { missionId: '01890a5d-ac96-774b-bcce-b302099a8057' }

let folder: string
let entry: string
let host: SecondHost

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'taskforce-bundle-'))
  ;({ entry } = await buildBundle(join(folder, 'dist')))
  host = await startSecondHost(entry)
})

afterAll(async () => {
  await host?.stop()
  await rm(folder, { recursive: true, force: true })
})

describe('the bundle under a host that is not the local one', () => {
  test('loads with no environment at all and says nothing', () => {
    expect(host.environment).toEqual([])
    expect(host.output).toEqual([])
  })

  test('registers exactly the functions of the contract', () => {
    expect(describeFunctions(host.functions)).toEqual(expectedFunctions)
  })

  test('as the migrator it registers migrate, behind a key of the platform, and nothing else', async () => {
    const other = await startSecondHost(entry, { APP_ROLE: 'migrator' })
    expect(describeFunctions(other.functions)).toEqual({ migrate: 'function key' })
    const unconfigured = await request(other, 'migrate', '/migrate', { method: 'POST', body: { action: 'status' } })
    expect(unconfigured.status).toBe(503)
    expect(await unconfigured.json()).toMatchObject({ detail: expect.stringContaining('DATABASE_URL is not set') })
    expect(await other.stop()).toBe(0)
  })

  test('with a role that nobody knows it is the app, and says so', async () => {
    const other = await startSecondHost(entry, { APP_ROLE: 'migrater' })
    expect(describeFunctions(other.functions)).toEqual(expectedFunctions)
    const ready = await request(other, 'health-ready', '/health/ready')
    expect(await ready.json()).toMatchObject({ checks: { config: { status: 'fail' } } })
    expect(await other.stop()).toBe(0)
  })

  test('takes its schedule from the setting where there is one', async () => {
    const other = await startSecondHost(entry, { SWEEP_SCHEDULE: '*/10 * * * * *' })
    expect(describeFunctions(other.functions)['sweep']).toBe('timer */10 * * * * *')
    expect(await other.stop()).toBe(0)
  })

  test('asks the host to stream, and keeps the capabilities of the worker', () => {
    expect(host.capabilities).toEqual({
      RpcHttpBodyOnly: 'true',
      HttpUri: expect.stringMatching(/^http:\/\/localhost:\d+\/$/) as string,
    })
  })

  test('answers /health through the streaming proxy', async () => {
    const response = await request(host, 'health', '/health')
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({ status: 'healthy' })
  })

  test('says in /health/ready and to every caller that it has no configuration, and goes on living', async () => {
    const ready = await request(host, 'health-ready', '/health/ready')
    expect(ready.status).toBe(503)
    expect(await ready.json()).toMatchObject({ status: 'unavailable', checks: { config: { status: 'fail' } } })
    const created = await request(host, 'create-mission', '/api/v1/missions', { method: 'POST', body: { goal: 'x' } })
    expect(created.status).toBe(503)
    expect(await created.json()).toMatchObject({ code: 'not_ready' })
  })

  test('an error thrown in a function has the TypeScript file and line in its stack', async () => {
    const failure = await deliver(host, 'run-mission', wake).catch((error: unknown) => error as Error)
    const line = lineOf('functions/run-mission.ts', 'The service is not configured')
    expect(failure?.stack).toContain('The service is not configured')
    expect(failure?.stack).toMatch(new RegExp(`functions/run-mission\\.ts:${line}:\\d+`))
    expect(failure?.stack).not.toContain('bundle.cjs')
  })

  test('ends by itself with code 0 when the platform ends it', async () => {
    const other = await startSecondHost(entry)
    expect(await other.stop()).toBe(0)
  })
})

describe('with Postgres, a queue and a model', () => {
  test('a mission goes its whole way, and the instance signs off when the platform ends it', async () => {
    const backends = await startBackends(0)
    onTestFinished(() => backends.stop())
    const configured = await startSecondHost(entry, backends.env)
    onTestFinished(async () => void (await configured.stop()))
    await expectMissionToRun(configured, backends)
    expect(await backends.livingInstances()).toBe(1)
    expect(await configured.stop()).toBe(0)
    expect(await backends.livingInstances()).toBe(0)
  })
})

describe('what is in the bundle', () => {
  test('nothing of the local host, of scripts, of tests or of development packages', async () => {
    const map = JSON.parse(await readFile(join(folder, 'dist/bundle.cjs.map'), 'utf8')) as { sources: string[] }
    const sources = map.sources.map((source) => relative(root, resolve(folder, 'dist', source)))
    const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      devDependencies: object
    }
    const unwanted = ['src/local/', 'scripts/', 'test/'].concat(
      Object.keys(devDependencies).map((name) => `node_modules/${name}/`),
    )
    expect(sources).toContain('functions/health.ts')
    expect(sources.filter((source) => unwanted.some((start) => source.startsWith(start)))).toEqual([])
  })
})

function lineOf(file: string, text: string): number {
  return (
    readFileSync(join(root, file), 'utf8')
      .split('\n')
      .findIndex((line) => line.includes(text)) + 1
  )
}
