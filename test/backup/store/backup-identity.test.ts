import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { openStores } from '../../../src/backup/store/open-store.ts'
import { loadConfig } from '../../../src/config/load-config.ts'
import { TerminalError } from '../../../src/domain/errors.ts'

/** Whose tokens were asked for, at what App Service gives an app as its identity endpoint. */
const asked: (string | null)[] = []
const endpoint = createServer((request, response) => {
  asked.push(new URL(request.url ?? '', 'http://localhost').searchParams.get('client_id'))
  response.writeHead(400, { 'content-type': 'application/json' }).end('{}')
})

beforeAll(async () => {
  await new Promise<void>((done) => endpoint.listen(0, '127.0.0.1', done))
  vi.stubEnv('IDENTITY_ENDPOINT', `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/`)
  vi.stubEnv('IDENTITY_HEADER', 'x')
})
afterAll(() => {
  vi.unstubAllEnvs()
  endpoint.closeAllConnections()
  endpoint.close()
})

const settings = {
  DATABASE_URL: 'postgres://localhost/x',
  TASKFORCE_API_KEY: 'k'.repeat(40),
  JOBS_STORAGE__queueServiceUri: 'https://account.queue.core.windows.net',
  JOBS_STORAGE__clientId: 'the-app',
}

it.each([
  ['the app’s identity', {}, 'the-app'],
  ['an identity of their own', { BACKUP_CLIENT_ID: 'the-backups' }, 'the-backups'],
])('backups are reached as %s', async (_, more, clientId) => {
  const loaded = loadConfig({ ...settings, BACKUP_OFFSITE_URL: 'https://other.blob.core.windows.net/copies', ...more })
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  const { main, offsite } = openStores(loaded.config, loaded.secrets)
  for (const store of [main, offsite]) {
    asked.length = 0
    await expect(store?.list()).rejects.toBeInstanceOf(TerminalError)
    expect(new Set(asked)).toEqual(new Set([clientId]))
  }
})
