import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { copyFile } from '../../../src/backup/store/copy-offsite.ts'
import { createFolderStore } from '../../../src/backup/store/folder-store.ts'
import type { BackupStore } from '../../../src/backup/store/store.ts'
import { flipBit } from '../codec/stored.ts'
import { namesIn, readAll, writeAll } from './conformance.ts'
import { randomBytesOf } from './random-file.ts'

const NAME = 'taskforce_backup_20261129_020000.sql.zst'
const BYTES = randomBytesOf(3_000_000)
const SHA256 = createHash('sha256').update(BYTES).digest('hex')

let root = ''
beforeAll(async () => void (root = await mkdtemp(join(tmpdir(), 'taskforce-offsite-'))))
afterAll(() => rm(root, { recursive: true, force: true }))

async function twoStores() {
  const dir = await mkdtemp(join(root, 'stores-'))
  const [from, to] = [createFolderStore(join(dir, 'main')), createFolderStore(join(dir, 'offsite'))]
  await writeAll(from, NAME, BYTES)
  return { from, to, dir }
}

/** A store that flips one bit of what it is given. */
function corrupting(store: BackupStore): BackupStore {
  return {
    ...store,
    async begin(name) {
      const file = await store.begin(name)
      let first = true
      return {
        ...file,
        write(chunk) {
          const changed = first ? flipBit(chunk, 12_345) : chunk
          first = false
          return file.write(changed)
        },
      }
    },
  }
}

it('a file is copied, and the copy is read again', async () => {
  const { from, to } = await twoStores()
  let readings = 0
  const counting = { ...to, read: (name: string) => (readings++, to.read(name)) }
  expect(await copyFile(from, counting, NAME, SHA256)).toEqual({ bytes: BYTES.length })
  expect(readings).toBe(1)
  expect((await readAll(to, NAME)).equals(BYTES)).toBe(true)
})

it('a copy that went wrong on its way is noticed, and does not stay', async () => {
  const { from, to } = await twoStores()
  await expect(copyFile(from, corrupting(to), NAME, SHA256)).rejects.toMatchObject({ code: 'offsite_damaged' })
  expect(await to.list()).toEqual([])
  expect(await copyFile(from, to, NAME, SHA256)).toEqual({ bytes: BYTES.length })
})

it('an original that is not what it was is not copied', async () => {
  const { from, to, dir } = await twoStores()
  await writeFile(join(dir, 'main', NAME), flipBit(BYTES, 7_777_777))
  await expect(copyFile(from, to, NAME, SHA256)).rejects.toMatchObject({ code: 'backup_damaged' })
  expect(await to.list()).toEqual([])
})

it('a copy that an earlier run has made counts, and one that is damaged is left for people to look at', async () => {
  const { from, to, dir } = await twoStores()
  await writeAll(to, NAME, BYTES)
  expect(await copyFile(from, to, NAME, SHA256)).toEqual({ bytes: BYTES.length })
  await writeFile(join(dir, 'offsite', NAME), flipBit(BYTES, 1))
  await expect(copyFile(from, to, NAME, SHA256)).rejects.toMatchObject({
    code: 'offsite_damaged',
    hint: expect.stringContaining('was there before'),
  })
  expect(await namesIn(to)).toEqual([NAME])
})

it('a file that is not there is not copied', async () => {
  const { from, to } = await twoStores()
  await expect(copyFile(from, to, 'taskforce_backup_20261129_030000.sql.zst', SHA256)).rejects.toMatchObject({
    code: 'backup_missing',
  })
  expect(await to.list()).toEqual([])
})

it('a store that fails in the middle leaves no copy', async () => {
  const { from, to } = await twoStores()
  const failing: BackupStore = {
    ...from,
    async *read(name) {
      let chunks = 0
      for await (const chunk of from.read(name)) {
        if (++chunks > 3) throw new Error('the line is dead')
        yield chunk
      }
    },
  }
  await expect(copyFile(failing, to, NAME, SHA256)).rejects.toThrow('the line is dead')
  expect(await to.list()).toEqual([])
})
