import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { QueueServiceClient } from '@azure/storage-queue'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { type LocalAzurite, startAzurite } from '../../src/local/azurite/start-azurite.ts'
import type { HostOptions } from '../../src/local/host/start-host.ts'
import { logged, runFixture, stopHosts, type TestHost, userLogs } from '../local/host/run-host.ts'

vi.setConfig({ testTimeout: 30_000 })
let azurite: LocalAzurite
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'taskforce-host-azurite-'))
  azurite = await startAzurite({ dataDir: folder })
}, 90_000)
afterEach(stopHosts)
afterAll(async () => {
  await azurite?.stop()
  await rm(folder, { recursive: true, force: true })
})

let count = 0

/** A queue of the test's own and a host that polls it. */
async function work(settings: object = {}, options: Partial<HostOptions> = {}, create = true) {
  const name = `work-${++count}`
  const service = QueueServiceClient.fromConnectionString(azurite.connectionString)
  const queue = service.getQueueClient(name)
  if (create) await queue.create()
  const queues = { maxPollingInterval: '00:00:00.2000000', visibilityTimeout: '00:00:00', ...settings }
  const env = { WORK_QUEUE: name, JOBS: azurite.connectionString }
  const host = await runFixture('queue', { hostFile: { extensions: { queues } }, env, ...options })
  const poison = service.getQueueClient(`${name}-poison`)
  return { host, queue, poison }
}

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64')

async function runs(host: TestHost, least: number) {
  return vi.waitUntil(() => userLogs(host, 'work').length >= least && userLogs(host, 'work'), {
    timeout: 20_000,
    interval: 20,
  })
}

async function waiting(queue: { getProperties: () => Promise<{ approximateMessagesCount?: number }> }) {
  return (await queue.getProperties().catch(() => ({ approximateMessagesCount: -1 }))).approximateMessagesCount
}

test('a message runs with its JSON parsed and the metadata of the Functions host, and is then deleted', async () => {
  const { host, queue } = await work()
  const sent = await queue.sendMessage(base64({ note: 'hi', id: 7 }))
  const [run] = await runs(host, 1)
  expect(run?.message).toEqual({ note: 'hi', id: 7 })
  expect(run?.triggerMetadata).toMatchObject({
    dequeueCount: 1,
    // A property of the message hides the metadata of that name, on Azure too.
    id: 7,
    note: 'hi',
    insertionTime: sent.insertedOn.toISOString().replace('Z', '+00:00'),
    popReceipt: expect.any(String),
    nextVisibleTime: expect.any(String),
    expirationTime: expect.any(String),
  })
  await vi.waitUntil(async () => (await waiting(queue)) === 0, { timeout: 15_000 })
})

test('a message that fails comes back until maxDequeueCount and then lies in the poison queue', async () => {
  const { host, queue, poison } = await work({ maxDequeueCount: 3 })
  const text = base64({ fail: true })
  await queue.sendMessage(text)
  await logged(host, 'was moved')
  const counts = userLogs(host, 'work').map((run) => (run.triggerMetadata as { dequeueCount: number }).dequeueCount)
  expect(counts).toEqual([1, 2, 3])
  expect((await poison.peekMessages()).peekedMessageItems.map((item) => item.messageText)).toEqual([text])
  expect(await waiting(queue)).toBe(0)
})

test('a message that is not base64 goes to the poison queue without a run', async () => {
  const { host, queue, poison } = await work()
  await queue.sendMessage('{"plain":true}')
  await logged(host, 'not base64')
  expect((await poison.peekMessages()).peekedMessageItems[0]?.messageText).toBe('{"plain":true}')
  expect(userLogs(host, 'work')).toEqual([])
})

test('messageEncoding none takes plain text', async () => {
  const { host, queue } = await work({ messageEncoding: 'none' })
  await queue.sendMessage('just words')
  expect((await runs(host, 1))[0]?.message).toBe('just words')
})

test('no more than batchSize + newBatchThreshold run at once, and that many do', async () => {
  const { host, queue } = await work({ batchSize: 2, newBatchThreshold: 1 })
  await Promise.all(
    Array.from({ length: 12 }, (_, index) => queue.sendMessage(base64({ waitMs: index % 3 ? 200 : 900 }))),
  )
  const seen = (await runs(host, 12)).map((run) => Number(run.running))
  expect(Math.max(...seen)).toBe(3)
})

test('a queue that does not exist yet is waited for', async () => {
  const { host, queue } = await work({}, {}, false)
  await logged(host, 'does not exist yet')
  await queue.create()
  await queue.sendMessage(base64('late'))
  expect((await runs(host, 1))[0]?.message).toBe('late')
})

test('a message stays hidden for as long as its function runs, although that is longer than its lease', async () => {
  const { host, queue } = await work({}, { queueInvisibilityMs: 2000 })
  await queue.sendMessage(base64({ waitMs: 5000 }))
  await logged(host, /Executed 'work'/)
  await vi.waitUntil(async () => (await waiting(queue)) === 0, { timeout: 15_000 })
  expect(userLogs(host, 'work')).toHaveLength(1)
})

test('a worker that dies with a message counts as a failed run, and the message runs again in the next worker', async () => {
  const { host, queue } = await work({ maxDequeueCount: 2 })
  await queue.sendMessage(base64({ exit: true }))
  await logged(host, 'was moved')
  const counts = userLogs(host, 'work').map((run) => (run.triggerMetadata as { dequeueCount: number }).dequeueCount)
  expect(counts).toEqual([1, 2])
  expect(host.logs.filter((entry) => entry.message.includes('exited with code 3')).length).toBeGreaterThanOrEqual(2)
})

test('a host that stops gives back at once what its function had not finished', async () => {
  const { host, queue } = await work({ visibilityTimeout: '00:10:00', maxDequeueCount: 1 }, { drainMs: 10 })
  await queue.sendMessage(base64({ waitMs: 60_000 }))
  await runs(host, 1)
  await host.stop()
  expect((await queue.peekMessages()).peekedMessageItems).toHaveLength(1)
})
