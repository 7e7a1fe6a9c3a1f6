import { fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { encodeManifest } from '../../src/backup/manifest.ts'
import { backupName, dataFile, manifestFile } from '../../src/backup/name.ts'
import { listBackups } from '../../src/backup/retention/list-backups.ts'
import { pruneBackups } from '../../src/backup/retention/prune.ts'
import { createFolderStore } from '../../src/backup/store/folder-store.ts'
import type { BackupStore } from '../../src/backup/store/store.ts'
import { startAzurite, type LocalAzurite } from '../../src/local/azurite/start-azurite.ts'
import { DAY_MS, manifestOf } from '../support/backups.ts'
import type { PruneOrder } from '../support/prune-process.ts'
import { azuriteStore } from '../backup/store/azurite-store.ts'

const SCRIPT = fileURLToPath(new URL('../support/prune-process.ts', import.meta.url))
const START = Date.parse('2026-01-01T02:00:00Z')

let folder: string
let azurite: LocalAzurite
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'taskforce-prune-'))
  azurite = await startAzurite({ dataDir: join(folder, 'azurite') })
})
afterAll(async () => {
  await azurite.kill()
  await rm(folder, { recursive: true, force: true })
})

const places: [string, () => { order: PruneOrder['store']; store: BackupStore }][] = [
  [
    'a folder',
    () => {
      const dir = join(folder, randomUUID())
      return { order: { dir }, store: createFolderStore(dir) }
    },
  ],
  [
    'a blob container',
    () => {
      const order = { connectionString: azurite.connectionString, container: randomUUID() }
      return { order, store: azuriteStore(order.connectionString, order.container) }
    },
  ],
]

/** Three old ones and seven newer ones, by the clock of a store that counts whole seconds. */
async function fill(store: BackupStore): Promise<string[]> {
  const names = Array.from({ length: 10 }, (_, n) => backupName(new Date(START + n * DAY_MS)))
  for (const [n, name] of names.entries()) {
    if (n === 3) await new Promise((resolve) => setTimeout(resolve, 1_100))
    await store.put(dataFile(name, false), Buffer.from('data'))
    await store.put(manifestFile(name), encodeManifest(manifestOf(name)))
  }
  return names
}

async function prunedBy(order: PruneOrder): Promise<void> {
  const child = fork(SCRIPT, [JSON.stringify(order)], { execArgv: ['--disable-warning=ExperimentalWarning'] })
  const [, signal] = (await once(child, 'exit')) as [number | null, string | null]
  expect(signal).toBe('SIGKILL')
}

describe.each(places)('a prune of %s', (_, open) => {
  it('killed at a removal leaves whole backups and nothing that looks like one; the next run finishes it', async () => {
    const { order, store } = open()
    const names = await fill(store)
    const justVerified = names.at(-1) ?? ''
    for (const [dieAt, after, whole] of [
      [0, false, 10],
      [0, true, 9],
      [1, true, 8],
    ] as const) {
      await prunedBy({ store: order, justVerified, dieAt, after })
      const known = await listBackups(store)
      expect(known.filter(({ state }) => state === 'verified')).toHaveLength(whole)
      expect(known.filter(({ hasManifest, state }) => hasManifest && state !== 'verified')).toEqual([])
    }
    // Data of a run that died is left alone for a day.
    await pruneBackups({ store, retentionDays: 0, justVerified })
    expect((await listBackups(store)).map(({ name }) => name).slice(-7)).toEqual(names.slice(3))
  }, 30_000)

  it('leaves what is held, and goes on when it is let go', async () => {
    const { store } = open()
    const names = await fill(store)
    const [first = '', second = ''] = names
    await store.hold(dataFile(first, false), true)
    await store.hold(manifestFile(second), true)
    const prune = () => pruneBackups({ store, retentionDays: 0, justVerified: names.at(-1) })
    expect((await prune()).removed.map(({ name }) => name)).toEqual([names[2]])
    await store.hold(dataFile(first, false), false)
    await store.hold(manifestFile(second), false)
    expect((await prune()).removed.map(({ name }) => name)).toEqual([first, second])
    expect((await listBackups(store)).map(({ name, state }) => [name, state])).toEqual(
      names.slice(3).map((name) => [name, 'verified']),
    )
  })
})
