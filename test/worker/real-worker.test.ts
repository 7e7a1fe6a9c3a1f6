import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { buildBundle } from '../../src/local/build/build-bundle.ts'
import { startBackends, type Backends } from './backends.ts'
import { describeFunctions, expectedFunctions } from './expected-functions.ts'
import { findWorker } from './hosts/find-worker.ts'
import { startRealWorker, type RealWorker, type RealWorkerOptions } from './hosts/real-worker.ts'
import { startSecondHost } from './hosts/second-host.ts'
import { deliver, request, type SeenFunction } from './hosts/worker-host.ts'
import { createMission, expectMissionToRun, readMission } from './run-a-mission.ts'

const script = findWorker(process.env) ?? ''
if (script === '') {
  console.info("Microsoft's worker is not tested: set FUNCTIONS_NODE_WORKER to its folder, or put func on the PATH.")
}

describe.skipIf(script === '')("the bundle in Microsoft's worker", () => {
  const root = join(import.meta.dirname, '../..')
  let folder: string
  let app: string
  let backends: Backends

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'taskforce-worker-'))
    app = join(folder, 'app')
    await mkdir(app)
    await buildBundle(join(app, 'dist'))
    await copyFile(join(root, 'host.json'), join(app, 'host.json'))
    await writeFile(join(app, 'package.json'), JSON.stringify({ name: 'taskforce', main: 'dist/index.cjs' }))
    backends = await startBackends(0)
  })

  afterAll(async () => {
    await backends?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  /** `FUNCTIONS_NODE` runs the worker with another Node than the tests. */
  async function start(options: Partial<RealWorkerOptions> = {}): Promise<RealWorker> {
    const worker = await startRealWorker({ script, app, env: {}, node: process.env['FUNCTIONS_NODE'], ...options })
    onTestFinished(async () => void (await worker.stop()))
    return worker
  }

  test('registers what it registers under the other host, with no environment at all', async () => {
    const worker = await start()
    const other = await startSecondHost(join(app, 'dist/index.cjs'))
    expect(await other.stop()).toBe(0)
    expect(describeFunctions(worker.functions)).toEqual(expectedFunctions)
    const byName = (a: { name: string }, b: { name: string }) => a.name.localeCompare(b.name)
    expect(withNames(worker.functions).sort(byName)).toEqual(withNames(other.functions).sort(byName))
    expect(worker.capabilities['HttpUri']).toMatch(/^http:\/\/localhost:\d+\/$/)
    expect((await request(worker, 'health', '/health')).status).toBe(200)
  })

  test('runs a mission, and signs off at WorkerTerminate', async () => {
    const worker = await start({ env: backends.env })
    await expectMissionToRun(worker, backends)
    expect(await backends.livingInstances()).toBe(1)
    expect(await worker.stop()).toBe(0)
    expect(await backends.livingInstances()).toBe(0)
  })

  test('runs a mission in an instance that was kept warm with another environment', async () => {
    const placeholder = join(folder, 'placeholder')
    await mkdir(placeholder)
    const worker = await start({ env: { ...backends.env, SWEEP_SCHEDULE: '*/10 * * * * *' }, placeholder })
    expect(describeFunctions(worker.functions)['sweep']).toBe('timer */10 * * * * *')
    await expectMissionToRun(worker, backends)
  })

  test('hands a mission in the middle of a model call over when the platform ends it', async () => {
    const slow = await startBackends(600_000)
    onTestFinished(() => slow.stop())
    const worker = await start({ env: slow.env })
    const { id } = await createMission(worker, 'Say hello')
    // Its answer is lost with the worker; the host would give the wake to another one.
    void deliver(worker, 'run-mission', await slow.takeWake()).catch(() => undefined)
    while ((await readMission(worker, id)).status !== 'running') await sleep(20)
    expect(await slow.ownerOf(id)).not.toBeNull()
    expect(await worker.stop()).toBe(0)
    expect(await slow.ownerOf(id)).toBeNull()
  })

  test('reports an error of a function with the TypeScript file and line', async () => {
    const worker = await start()
    const failure = await deliver(worker, 'run-mission', { missionId: 'none' }).catch((error: unknown) => error)
    expect((failure as Error).stack).toMatch(/functions\/run-mission\.ts:\d+:\d+/)
  })
})

/** The worker adds each binding's name to it. */
function withNames(functions: SeenFunction[]) {
  return functions.map(({ name, bindings }) => ({
    name,
    bindings: Object.fromEntries(Object.entries(bindings).map(([key, binding]) => [key, { ...binding, name: key }])),
  }))
}
