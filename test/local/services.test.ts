import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { startServices } from '../../src/local/services.ts'

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop()
})

async function occupy(port: number): Promise<void> {
  const server = createServer().listen(port, '127.0.0.1')
  await once(server, 'listening')
  stops.push(() => server.close())
}

it('a port that another program takes while services start is given up for a free one', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'taskforce-services-'))
  stops.push(() => rm(dataDir, { recursive: true, force: true }))
  const first = await startServices(dataDir, () => undefined)
  const queuePort = Number(/QueueEndpoint=http:\/\/127\.0\.0\.1:(\d+)/.exec(first.storageConnectionString)?.[1])
  await first.stop()
  const lines: string[] = []
  const second = await startServices(dataDir, (line) => {
    lines.push(line)
    // Postgres is up and Azurite is not: its port was looked at before.
    if (line.startsWith('Postgres 17')) void occupy(queuePort)
  })
  stops.push(() => second.stop())
  expect(lines).toContain('Azurite takes a free port: another program is on the one of the last time')
  expect(second.storageConnectionString).not.toContain(`:${queuePort}/`)
  expect(second.appUrl).toBe(first.appUrl)
}, 60_000)
