import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { HostLogEntry } from '../../src/local/host/protocol.ts'
import { startHost } from '../../src/local/host/start-host.ts'
import { bare, bundleFixture, isAlive, logged, runFixture, stopHosts } from '../local/host/run-host.ts'

vi.setConfig({ testTimeout: 30_000 })
const folders: string[] = []
afterEach(async () => {
  await stopHosts()
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })))
})

/** Starts a fixture's host in a process of its own, which a test can kill. */
async function hostProcess(fixture: string) {
  const { bundle, folder } = await bundleFixture(fixture, bare)
  const program = new URL('../local/host/host-process.ts', import.meta.url).pathname
  const terminatedFile = join(folder, 'terminated')
  const child = spawn(process.execPath, [program, bundle, join(folder, 'host.json')], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TERMINATED_FILE: terminatedFile },
  })
  folders.push(folder)
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  return { child, terminatedFile, ...(JSON.parse(line) as { url: string; workerPid: number }) }
}

async function gone(pid: number): Promise<void> {
  await vi.waitUntil(() => !isAlive(pid), { timeout: 10_000, interval: 50 })
}

describe('the end of a host', () => {
  test('stop runs appTerminate and ends the worker', async () => {
    const host = await runFixture('web')
    const pid = await host.workerPid()
    await host.stop()
    await logged(host, 'app terminated')
    expect(isAlive(pid)).toBe(false)
    await expect(fetch(host.url)).rejects.toThrow('fetch failed')
  })

  test('stop does not wait for ever for a function that does not end', async () => {
    const host = await runFixture('web', { drainMs: 50, terminateMs: 50 })
    const pid = await host.workerPid()
    const hanging = fetch(`${host.url}/hang`).then(
      (response) => response.status,
      () => 'cut',
    )
    await fetch(`${host.url}/directory`)
    await host.stop()
    expect(isAlive(pid)).toBe(false)
    expect([502, 'cut']).toContain(await hanging)
  })

  test.each(['hang', 'busy'])('kill -9 of the host ends its worker in the middle of a %s', async (path) => {
    const { child, url, workerPid, terminatedFile } = await hostProcess('web')
    fetch(`${url}/${path}`).catch(() => {})
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(isAlive(workerPid)).toBe(true)
    child.kill('SIGKILL')
    await gone(workerPid)
    // A worker that can still listen ends in order; one that is busy computing is killed.
    expect(existsSync(terminatedFile)).toBe(path === 'hang')
  })

  test('an invocation that outlives functionTimeout takes the worker with it', async () => {
    const hostFile = { ...bare, functionTimeout: '00:00:01' }
    const restarts: string[] = []
    const host = await runFixture('web', { hostFile, onWorkerRestart: (reason) => restarts.push(reason) })
    const response = await fetch(`${host.url}/hang`)
    expect(response.status).toBe(502)
    await logged(host, 'Timeout value of 1000 ms was exceeded')
    expect((await fetch(`${host.url}/directory`)).status).toBe(200)
    expect(restarts).toEqual([expect.stringContaining('SIGKILL')])
  })

  test("the platform's time limit on answers ends the exchange and not the worker", async () => {
    const host = await runFixture('web', { responseTimeoutMs: 300 })
    const pid = await host.workerPid()
    expect((await fetch(`${host.url}/hang`)).status).toBe(504)
    const stream = await fetch(`${host.url}/stream`)
    await expect(stream.text()).rejects.toThrow('terminated')
    expect(await host.workerPid()).toBe(pid)
  })
})

describe('a host that can not start says why', () => {
  const log: HostLogEntry[] = []

  async function starting(fixture: string, hostJson: object = bare, port = 0): Promise<unknown> {
    const { bundle, folder } = await bundleFixture(fixture, hostJson)
    folders.push(folder)
    const options = {
      bundle,
      hostJson: join(folder, 'host.json'),
      env: {},
      port,
      log: (e: HostLogEntry) => log.push(e),
    }
    return startHost(options)
  }

  test('an app that throws while it loads', async () => {
    await expect(starting('throws-at-load')).rejects.toThrow(
      /could not be loaded: Error: the settings are not what[^]*at /,
    )
  })

  test('a host.json with a wrong value', async () => {
    const wrong = { extensions: { queues: { batchSize: 33, maxPollingInterval: '2s' } } }
    await expect(starting('web', wrong)).rejects.toThrow(
      /host\.json is not a valid[^]*queues\.batchSize[^]*maxPollingInterval/,
    )
  })

  test('a port in use', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as { port: number }
    await expect(starting('web', bare, port)).rejects.toThrow(`Port ${port} is already in use`)
    other.close()
  })
})

test('an app without streaming is served too, whole requests at a time', async () => {
  const host = await runFixture('buffered', { hostFile: {} })
  const response = await fetch(`${host.url}/api/echo?q=a%20b`, { method: 'POST', body: 'hello' })
  expect(response.status).toBe(201)
  expect(response.headers.get('x-one')).toBe('1')
  expect(response.headers.getSetCookie()).toEqual(['c=v; path=/; samesite=strict'])
  expect(await response.json()).toEqual({ text: 'hello', url: `${host.url}/api/echo?q=a%20b`, query: 'a b' })
})
