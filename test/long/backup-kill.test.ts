import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { listBackups } from '../../src/backup/retention/list-backups.ts'
import { createFolderStore } from '../../src/backup/store/folder-store.ts'
import { verifyBackup } from '../../src/backup/verify-backup.ts'
import { writeNastyRows } from '../backup/nasty-rows.ts'
import { createTestDatabase, withConnection, type TestDatabase } from '../support/postgres.ts'

let database: TestDatabase
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'taskforce-killed-'))
  database = await createTestDatabase()
  await withConnection(database.ownerUrl, writeNastyRows)
})
afterAll(async () => {
  await database.drop()
  await rm(folder, { recursive: true, force: true })
})

/** Milliseconds until it ended by itself or was killed; the command, as a user types it. */
async function backUp(killAfterMs?: number): Promise<{ ms: number; code: number | null }> {
  const begun = performance.now()
  const child = spawn(process.execPath, ['scripts/backup.ts', 'now', '--json'], {
    env: { ...process.env, DATABASE_URL: database.ownerUrl, BACKUP_FOLDER: folder },
    stdio: 'ignore',
  })
  const timer = killAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfterMs)
  const [code] = (await once(child, 'exit')) as [number | null]
  clearTimeout(timer)
  return { ms: performance.now() - begun, code }
}

it(
  'a backup that is killed at any moment leaves none that can be seen, and the next one is made',
  { timeout: 240_000 },
  async () => {
    const { ms, code } = await backUp()
    expect(code).toBe(0)
    const store = createFolderStore(folder)
    const killed: (number | null)[] = []
    for (let n = 0; n < 24; n++) killed.push((await backUp((ms * (n + 1)) / 24)).code)
    // Both kinds happened: killed, and just done before it.
    expect(killed).toContain(null)
    const backups = await listBackups(store)
    for (const { state, hasManifest, name } of backups) {
      expect([name, state]).toEqual([name, hasManifest ? 'verified' : 'incomplete'])
      if (hasManifest) await verifyBackup(store, name)
    }
    // The lock of a killed one goes with its connection.
    expect((await backUp()).code).toBe(0)
  },
)
