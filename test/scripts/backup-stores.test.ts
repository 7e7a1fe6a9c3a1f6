import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { ContainerSASPermissions } from '@azure/storage-blob'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { findBackup } from '../../scripts/backup/find.ts'
import { main as backup } from '../../scripts/backup/main.ts'
import { createTerminal, type Streams } from '../../scripts/mission/terminal.ts'
import { main as restore } from '../../scripts/restore/main.ts'
import { holdBackup } from '../../src/backup/hold-backup.ts'
import { encodeManifest } from '../../src/backup/manifest.ts'
import { listBackups } from '../../src/backup/retention/list-backups.ts'
import { createFolderStore } from '../../src/backup/store/folder-store.ts'
import type { BackupStore } from '../../src/backup/store/store.ts'
import { startAzurite, type LocalAzurite } from '../../src/local/azurite/start-azurite.ts'
import { azuriteContainer, azuriteStore } from '../backup/store/azurite-store.ts'
import { manifestOf } from '../support/backups.ts'

const NAME = 'taskforce_backup_20260101_020000'
const OLDER = 'taskforce_backup_20251231_020000'

let azuriteFolder: string
let azurite: LocalAzurite
let folder: string
let store: BackupStore
beforeAll(async () => {
  azuriteFolder = await mkdtemp(join(tmpdir(), 'taskforce-stores-'))
  azurite = await startAzurite({ dataDir: azuriteFolder })
})
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'taskforce-stores-'))
  store = createFolderStore(join(folder, 'backups'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))
afterAll(async () => {
  await azurite.kill()
  await rm(azuriteFolder, { recursive: true, force: true })
})

async function run(command: typeof backup, words: string[], env: NodeJS.ProcessEnv = {}) {
  const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() }
  const terminal = createTerminal(streams as unknown as Streams, {})
  const settings = { BACKUP_FOLDER: join(folder, 'backups'), ...env }
  const code = await command(words, { env: settings, cwd: folder, terminal })
  const said = (stream: PassThrough) => String(stream.read() ?? '')
  return { code, stdout: said(streams.stdout), stderr: said(streams.stderr) }
}

async function add(to: BackupStore, name: string, drift: string[] = []): Promise<void> {
  await to.put(`${name}.sql.zst`, Buffer.from('data'))
  await to.put(`${name}.manifest.json`, encodeManifest(manifestOf(name, 4, drift)))
}

describe('hold and release', () => {
  /** Gives the setting for a container of that name. */
  async function offsite(container: string): Promise<string> {
    const client = azuriteContainer(azurite.connectionString, container)
    await client.createIfNotExists()
    const expiresOn = new Date(Date.now() + 3_600_000)
    return client.generateSasUrl({ permissions: ContainerSASPermissions.parse('racwdlt'), expiresOn })
  }
  const heldIn = async (where: BackupStore) => (await listBackups(where)).map(({ held }) => held)

  it('mark the copy as well, and let it go as well', async () => {
    const copies = azuriteStore(azurite.connectionString, 'both')
    for (const one of [store, copies]) await add(one, NAME)
    // Azurite answers a signature's legal hold with 500, so not by the command.
    const mark = (on: boolean) => holdBackup([store, copies], (one) => findBackup(one, NAME), on)
    expect(await mark(true)).toMatchObject([{ place: store.place, held: true }, { held: true }])
    expect([await heldIn(store), await heldIn(copies)]).toEqual([[true], [true]])
    await mark(false)
    expect([await heldIn(store), await heldIn(copies)]).toEqual([[false], [false]])
  })

  it('say of each store what happened, and end with 1 where one was not marked', async () => {
    const env = { BACKUP_OFFSITE_URL: await offsite('none') }
    await add(store, NAME)
    const { code, stdout } = await run(backup, ['hold', NAME], env)
    expect(code).toBe(1)
    expect(stdout).toContain(`  in ${store.place}\n`)
    expect(stdout).toMatch(/NOT in http.*none: There is no backup/)
    expect(await heldIn(store)).toEqual([true])
    expect(await run(backup, ['hold', OLDER], env)).toMatchObject({ code: 2 })
  })
})

it('LATEST names the newest unverified one, and how it is restored, where no other is there', async () => {
  await add(store, NAME, ['+table x'])
  await add(store, OLDER, ['+table x'])
  const { code, stderr } = await run(restore, ['LATEST', '--into', 'postgresql://127.0.0.1:1/none'])
  expect(code).toBe(2)
  expect(stderr).toContain(`2 unverified ones are there, and the newest is ${NAME}.`)
  expect(stderr).toContain(`npm run restore -- ${NAME}`)
})

describe('a backup whose manifest is not its own', () => {
  it.each([
    ['damaged', () => Buffer.from(encodeManifest(manifestOf(NAME)).toString().replace('17.0', '17.1'))],
    ['empty', () => Buffer.alloc(0)],
    ['of another one', () => encodeManifest(manifestOf(OLDER))],
  ])('is not restored: %s', async (_, bytes) => {
    await store.put(`${NAME}.sql.zst`, Buffer.from('data'))
    await store.put(`${NAME}.manifest.json`, bytes())
    const { code, stderr } = await run(restore, [NAME, '--into', 'postgresql://127.0.0.1:1/none'])
    expect(code).toBe(3)
    expect(stderr).toMatch(new RegExp(`The manifest ${NAME}.manifest.json is `))
    expect(stderr).not.toContain('psql')
    expect(await run(backup, ['list'])).toMatchObject({ code: 1, stdout: expect.stringContaining('damaged') })
    expect(await run(backup, ['show', NAME])).toMatchObject({ code: 1 })
  })

  it('is listed with 1 where its data is lost, and with 0 while it is being made', async () => {
    await store.put(`${NAME}.sql.zst`, Buffer.from('data'))
    expect(await run(backup, ['list'])).toMatchObject({ code: 0 })
    await store.put(`${NAME}.manifest.json`, encodeManifest(manifestOf(NAME)))
    await rm(join(folder, 'backups', `${NAME}.sql.zst`))
    expect(await readdir(join(folder, 'backups'))).toEqual([`${NAME}.manifest.json`])
    expect(await run(backup, ['list'])).toMatchObject({ code: 1 })
  })
})
