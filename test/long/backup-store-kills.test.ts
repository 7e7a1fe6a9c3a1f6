import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createFolderStore } from '../../src/backup/store/folder-store.ts'
import { startAzurite, type LocalAzurite } from '../../src/local/azurite/start-azurite.ts'
import { azuriteStore } from '../backup/store/azurite-store.ts'
import { itSurvivesKills } from '../backup/store/conformance.ts'
import { randomBytesOf } from '../backup/store/random-file.ts'

const MIB = 1024 * 1024
const NAME = 'taskforce_backup_20261129_020000.sql.zst'

let folder = ''
let azurite: LocalAzurite
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'taskforce-store-kills-'))
  azurite = await startAzurite({ dataDir: join(folder, 'azurite') })
}, 90_000)
afterAll(async () => {
  await azurite.kill()
  await rm(folder, { recursive: true, force: true })
})

describe('a folder', () => {
  itSurvivesKills(async () => {
    const dir = join(folder, 'backups')
    return { store: createFolderStore(dir), child: { dir } }
  }, 40)
})

describe('a container', () => {
  itSurvivesKills(async () => {
    const { connectionString } = azurite
    return { store: azuriteStore(connectionString, 'kills'), child: { connectionString, container: 'kills' } }
  }, 16)
})

describe('a storage', () => {
  it('that is killed and started again in the middle of an upload and of a read still gives the whole file', async () => {
    const dataDir = join(folder, 'restarted')
    let own = await startAzurite({ dataDir })
    const { blobPort, queuePort, connectionString } = own
    const restart = async (): Promise<void> => {
      // Azurite loses the last 100 ms; Azure does not.
      await pause(400)
      await own.kill()
      await pause(300)
      own = await startAzurite({ dataDir, blobPort, queuePort })
    }
    try {
      const store = azuriteStore(connectionString, 'backups', { tries: 10, firstPauseMs: 100 })
      const bytes = randomBytesOf(40 * MIB)
      const file = await store.begin(NAME)
      await file.write(bytes.subarray(0, 17 * MIB))
      let back = restart()
      await file.write(bytes.subarray(17 * MIB))
      await file.commit()
      await back
      back = Promise.resolve()
      const read: Buffer[] = []
      for await (const chunk of store.read(NAME)) {
        read.push(chunk)
        if (read.length === 2) back = restart()
      }
      await back
      expect(Buffer.concat(read).equals(bytes)).toBe(true)
    } finally {
      await own.kill()
    }
  }, 120_000)
})
