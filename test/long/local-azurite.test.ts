import { readFileSync, watch } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BlobServiceClient } from '@azure/storage-blob'
import { QueueServiceClient } from '@azure/storage-queue'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type AzuriteOptions, startAzurite } from '../../src/local/azurite/start-azurite.ts'
import { freePort } from '../../src/local/processes/free-port.ts'
import { processInfo } from '../../src/local/processes/process-info.ts'
import { nextSaid, parentProcess, vanished } from '../local/killed-parent.ts'

vi.setConfig({ testTimeout: 90_000, hookTimeout: 60_000 })

let folder = ''
let running: { kill: () => Promise<void> }[] = []
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'taskforce-azurite-'))
  running = []
})
afterEach(async () => {
  await Promise.all(running.map((server) => server.kill()))
  await rm(folder, { recursive: true, force: true })
})

async function start(options: Partial<AzuriteOptions> = {}) {
  const server = await startAzurite({ dataDir: folder, ...options })
  running.push(server)
  return server
}

function queue(connectionString: string) {
  return QueueServiceClient.fromConnectionString(connectionString).getQueueClient('steps')
}

function blob(connectionString: string) {
  return BlobServiceClient.fromConnectionString(connectionString)
    .getContainerClient('files')
    .getBlockBlobClient('a.txt')
}

async function received(connectionString: string): Promise<string[]> {
  const { receivedMessageItems } = await queue(connectionString).receiveMessages({ numberOfMessages: 32 })
  return receivedMessageItems.map(({ messageText }) => messageText)
}

/** The order in which Azurite's queue files are replaced, from now until both were. */
function saveOrder(): { both: Promise<string[]> } {
  const names = ['__azurite_db_queue__.json', '__azurite_db_queue_extent__.json']
  const order: string[] = []
  const both = Promise.withResolvers<string[]>()
  const watcher = watch(folder, (_event, name) => {
    if (name && names.includes(name) && !order.includes(name)) order.push(name)
    if (order.length < names.length) return
    watcher.close()
    both.resolve(order)
  })
  return { both: both.promise }
}

async function queueSaved() {
  while (!readFileSync(join(folder, '__azurite_db_queue__.json'), 'utf8').includes('"name":"steps"'))
    await new Promise((wake) => setTimeout(wake, 20))
}

describe('a local Azurite', () => {
  test('keeps messages and blobs over a restart, on the same ports where asked', async () => {
    const first = await start()
    await queue(first.connectionString).create()
    await queue(first.connectionString).sendMessage('kept')
    await BlobServiceClient.fromConnectionString(first.connectionString).createContainer('files')
    await blob(first.connectionString).upload('kept', 4)
    await first.stop()
    expect(await first.exited).toEqual({ code: 0, signal: null })
    const second = await start({ blobPort: first.blobPort, queuePort: first.queuePort })
    expect(second.connectionString).toBe(first.connectionString)
    expect(await received(second.connectionString)).toEqual(['kept'])
    expect((await blob(second.connectionString).downloadToBuffer()).toString()).toBe('kept')
  })

  test('saves a message soon, its extent first, so that it can be read after a SIGKILL', async () => {
    const first = await start()
    await queue(first.connectionString).create()
    await queueSaved()
    const { both } = saveOrder()
    await queue(first.connectionString).sendMessage('kept')
    expect(await both).toEqual(['__azurite_db_queue_extent__.json', '__azurite_db_queue__.json'])
    await first.kill()
    const second = await start()
    expect(await received(second.connectionString)).toEqual(['kept'])
  })

  test('refuses a taken port in one sentence', async () => {
    const queuePort = await freePort()
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(queuePort, '127.0.0.1', resolve))
    await expect(start({ queuePort })).rejects.toMatchObject({
      code: 'azurite_port_in_use',
      message: `Port ${queuePort} on 127.0.0.1 is taken by another program: stop that program or choose another port for Azurite.`,
    })
    server.close()
  })
})

describe('when the parent is killed with kill -9', () => {
  async function parentWithAzurite() {
    const parent = await parentProcess(`say(await startAzurite({ dataDir: ${JSON.stringify(folder)} }))`)
    return { parent, said: await nextSaid<{ pid: number; connectionString: string }>(parent) }
  }

  test('Azurite ends, and has saved its messages', async () => {
    const { parent, said } = await parentWithAzurite()
    await queue(said.connectionString).create()
    await queue(said.connectionString).sendMessage('kept')
    parent.kill('SIGKILL')
    expect(await vanished(said.pid)).toBe(true)
    expect(await received((await start()).connectionString)).toEqual(['kept'])
  })

  test('and its guard too, the next start ends the Azurite left behind', async () => {
    const { parent, said } = await parentWithAzurite()
    const guard = processInfo(said.pid)?.parent ?? 0
    process.kill(parent.pid ?? 0, 'SIGSTOP')
    process.kill(guard, 'SIGKILL')
    parent.kill('SIGKILL')
    expect(await vanished(guard)).toBe(true)
    await start()
    expect(await vanished(said.pid)).toBe(true)
  })
})
