import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createFolderStore } from '../../src/backup/store/folder-store.ts'
import { itIsABackupStore, itSurvivesKills, namesIn, readAll, writeAll } from '../backup/store/conformance.ts'
import { randomBytesOf } from '../backup/store/random-file.ts'

let root = ''
let places = 0
beforeAll(async () => void (root = await mkdtemp(join(tmpdir(), 'taskforce-folder-store-'))))
afterAll(() => rm(root, { recursive: true, force: true }))

function freshDir(): string {
  places += 1
  return join(root, `data-${places}`, 'backups')
}

describe('a folder', () => {
  const make = async () => {
    const dir = freshDir()
    return { store: createFolderStore(dir), child: { dir } }
  }
  itIsABackupStore(make)
  itSurvivesKills(make, 8)

  it('and its files are for this user alone', async () => {
    const dir = freshDir()
    const store = createFolderStore(dir)
    const file = await store.begin('a.zst')
    for (const name of await readdir(dir)) expect((await stat(join(dir, name))).mode & 0o777).toBe(0o600)
    await file.commit()
    await store.hold('a.zst', true)
    expect((await stat(dir)).mode & 0o777).toBe(0o700)
    expect((await readdir(dir)).sort()).toEqual(['a.zst', 'a.zst.hold'])
    for (const name of await readdir(dir)) expect((await stat(join(dir, name))).mode & 0o777).toBe(0o600)
  })

  it('loses the leftovers of killed runs after a day, by the time of their last write', async () => {
    const dir = freshDir()
    const store = createFolderStore(dir)
    const [old, young] = [await store.begin('old.zst'), await store.begin('young.zst')]
    await old.write(Buffer.from('o'))
    await young.write(Buffer.from('y'))
    await writeFile(join(dir, '.of-another-program'), '')
    const [oldFile = ''] = (await readdir(dir)).filter((name) => name.includes('old.zst'))
    const twoDaysAgo = new Date(Date.now() - 48 * 3_600_000)
    await utimes(join(dir, oldFile), twoDaysAgo, twoDaysAgo)
    await utimes(join(dir, '.of-another-program'), twoDaysAgo, twoDaysAgo)
    await store.put('new.zst', Buffer.from('n'))
    const left = await readdir(dir)
    expect(left.filter((name) => name.endsWith('.part'))).toHaveLength(1)
    expect(left).toContain('.of-another-program')
    await old.abort()
    await young.commit()
    expect(await namesIn(store)).toEqual(['.of-another-program', 'new.zst', 'young.zst'])
  })

  it('that is a file says so', async () => {
    const path = join(root, 'file')
    await writeFile(path, '')
    const error: unknown = await createFolderStore(path)
      .list()
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'store_refused', message: expect.stringContaining('ENOTDIR') })
  })

  it('whose file grows while it is read says so', async () => {
    const dir = freshDir()
    const store = createFolderStore(dir)
    await writeAll(store, 'a.zst', randomBytesOf(2_000_000))
    const read = async (change: () => Promise<void>) => {
      let first = true
      for await (const _ of store.read('a.zst')) {
        if (first) await change()
        first = false
      }
    }
    const damaged = { code: 'backup_damaged' }
    const grow = () => writeFile(join(dir, 'a.zst'), 'more', { flag: 'a' })
    await expect(read(grow)).rejects.toMatchObject(damaged)
    const shrink = () => writeFile(join(dir, 'a.zst'), 'less')
    await expect(read(shrink)).rejects.toMatchObject(damaged)
  })
})

/** A file system of so many megabytes; only root may have one, and not in every container. */
async function smallVolume(megabytes: number): Promise<string | undefined> {
  const dir = join(root, 'volume')
  await mkdir(dir)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', dir], { stdio: 'ignore' })
    return dir
  } catch {
    return undefined
  }
}

it('a full disk is an error that says so, leaves nothing, and passes when there is room', async (context) => {
  const volume = await smallVolume(4)
  context.skip(volume === undefined, 'this machine lets us mount nothing')
  if (volume === undefined) return
  try {
    const store = createFolderStore(join(volume, 'backups'))
    const error: unknown = await writeAll(store, 'a.zst', randomBytesOf(6_000_000)).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'store_full', message: expect.stringContaining('ENOSPC') })
    expect(await readdir(join(volume, 'backups'))).toEqual([])
    const bytes = randomBytesOf(3_000_000)
    await writeAll(store, 'a.zst', bytes)
    expect((await readAll(store, 'a.zst')).equals(bytes)).toBe(true)
  } finally {
    execFileSync('umount', ['--lazy', volume])
  }
})
