import { ContainerSASPermissions } from '@azure/storage-blob'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { main as backup } from '../../scripts/backup/main.ts'
import { createTerminal, type Streams } from '../../scripts/mission/terminal.ts'
import { main as restore } from '../../scripts/restore/main.ts'
import { type LocalAzurite, startAzurite } from '../../src/local/azurite/start-azurite.ts'
import { azuriteContainer } from '../backup/store/azurite-store.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'

let folder: string
let azurite: LocalAzurite
let database: TestDatabase
let offsite: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'taskforce-offsite-'))
  azurite = await startAzurite({ dataDir: join(folder, 'azurite') })
  database = await createTestDatabase()
  const container = azuriteContainer(azurite.connectionString, 'copies')
  await container.create()
  offsite = await container.generateSasUrl({
    permissions: ContainerSASPermissions.parse('racwdl'),
    expiresOn: new Date(Date.now() + 3_600_000),
  })
})
afterAll(async () => {
  await azurite?.stop()
  await database?.drop()
  await rm(folder, { recursive: true, force: true })
})

async function run(command: typeof backup, words: string[], env: NodeJS.ProcessEnv): Promise<[number, string]> {
  const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() }
  const terminal = createTerminal(streams as unknown as Streams, {})
  const settings = { DATABASE_URL: database.ownerUrl, BACKUP_FOLDER: join(folder, 'backups'), ...env }
  const code = await command(words, { env: settings, cwd: folder, terminal })
  return [code, String(streams.stdout.read() ?? '') + String(streams.stderr.read() ?? '')]
}

it('where the backups are lost, the copies are listed, verified, drilled, downloaded and restored', async () => {
  const env = { BACKUP_OFFSITE_URL: offsite }
  expect((await run(backup, ['now'], env))[0]).toBe(0)
  await rm(join(folder, 'backups'), { recursive: true })
  expect((await run(backup, ['verify', 'LATEST'], env))[0]).not.toBe(0)
  const [, listed] = await run(backup, ['list', '--offsite', '--json'], env)
  expect(JSON.parse(listed)).toMatchObject([{ verified: true }])
  for (const words of [['verify', 'LATEST'], ['drill'], ['show', 'LATEST'], ['download', 'LATEST', '--to', 'a.zst']]) {
    expect([words, ...(await run(backup, [...words, '--offsite'], env))]).toEqual([words, 0, expect.any(String)])
  }
  const target = await createTestDatabase({ migrated: false })
  try {
    const words = ['LATEST', '--offsite', '--into', target.ownerUrl, '--yes']
    expect(await run(restore, words, env)).toEqual([0, expect.stringContaining(target.name)])
  } finally {
    await target.drop()
  }
})

it('without a store offsite it says so', async () => {
  expect(await run(backup, ['list', '--offsite'], {})).toEqual([1, expect.stringContaining('BACKUP_OFFSITE_URL')])
})
