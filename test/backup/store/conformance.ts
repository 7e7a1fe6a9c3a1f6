import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { hashStored } from '../../../src/backup/codec/hash-stored.ts'
import type { BackupStore } from '../../../src/backup/store/store.ts'
import { chunksOf, piecesOf } from '../codec/stored.ts'
import { randomBytesOf } from './random-file.ts'
import type { ChildOrder } from './store-child.ts'

export interface PlaceUnderTest {
  store: BackupStore
  /** The same place, for a process of its own. */
  child: ChildOrder['store']
}

const CHILD = fileURLToPath(new URL('./store-child.ts', import.meta.url))
const NAME = 'taskforce_backup_20261129_020000.sql.zst'
const MIB = 1024 * 1024

export async function readAll(store: BackupStore, name: string): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of store.read(name)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

export async function writeAll(store: BackupStore, name: string, bytes: Buffer, pieceBytes = 300_000): Promise<void> {
  const file = await store.begin(name)
  try {
    for (const piece of piecesOf(bytes, pieceBytes)) await file.write(piece)
    await file.commit()
  } finally {
    await file.abort()
  }
}

export async function namesIn(store: BackupStore): Promise<string[]> {
  return (await store.list()).map(({ name }) => name).sort()
}

/** What every store of backups does. @param make gives a place where nothing ever was */
export function itIsABackupStore(make: () => Promise<PlaceUnderTest>): void {
  it('shows a file only when it is committed, and then all of it', async () => {
    const { store } = await make()
    const bytes = randomBytesOf(9 * MIB)
    const file = await store.begin(NAME)
    for (const piece of piecesOf(bytes, 500_000)) {
      await file.write(piece)
      expect(await store.list()).toEqual([])
    }
    await expect(readAll(store, NAME)).rejects.toMatchObject({ code: 'backup_missing' })
    await file.commit()
    expect(await store.list()).toMatchObject([{ name: NAME, bytes: bytes.length, held: false }])
    expect((await readAll(store, NAME)).equals(bytes)).toBe(true)
  })

  it.each([0, 1, 4 * MIB - 1, 4 * MIB, 4 * MIB + 1, 43 * MIB])('keeps %d bytes as they are', async (length) => {
    const { store } = await make()
    const bytes = randomBytesOf(length)
    await writeAll(store, NAME, bytes, length > 20 * MIB ? 10 * MIB : 777_777)
    const [stored, expected] = [await hashStored(store.read(NAME)), await hashStored(chunksOf(bytes))]
    expect(stored).toEqual(expected)
  })

  it('never writes over a file', async () => {
    const { store } = await make()
    await store.put(NAME, Buffer.from('first'))
    await expect(store.put(NAME, Buffer.from('second'))).rejects.toMatchObject({ code: 'backup_exists' })
    await expect(writeAll(store, NAME, Buffer.from('third'))).rejects.toMatchObject({ code: 'backup_exists' })
    expect((await readAll(store, NAME)).toString()).toBe('first')
    expect(await namesIn(store)).toEqual([NAME])
  })

  it('lets one of two that write the same name at once have it, unmixed', async () => {
    const { store } = await make()
    const contents = [Buffer.alloc(20 * MIB, 'a'), Buffer.alloc(20 * MIB, 'b')]
    const outcomes = await Promise.allSettled(contents.map((bytes) => writeAll(store, NAME, bytes, MIB)))
    const winner = outcomes.findIndex(({ status }) => status === 'fulfilled')
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(outcomes[1 - winner]).toMatchObject({ reason: { code: 'backup_exists' } })
    expect((await readAll(store, NAME)).equals(contents[winner] ?? Buffer.alloc(0))).toBe(true)
  })

  it('gives the first that commits its own bytes, though another has written half of the same name after it', async () => {
    const { store } = await make()
    const [first, second] = [await store.begin(NAME), await store.begin(NAME)]
    // More blocks of a container than may be under way: the first have arrived when the last may be sent.
    await first.write(Buffer.alloc(41 * MIB, 'a'))
    await second.write(Buffer.alloc(41 * MIB, 'b'))
    await first.commit()
    await second.abort()
    expect(await hashStored(store.read(NAME))).toEqual(await hashStored(chunksOf(Buffer.alloc(41 * MIB, 'a'))))
  })

  it('forgets a file that is given up, and takes its name again', async () => {
    const { store } = await make()
    const file = await store.begin(NAME)
    await file.write(randomBytesOf(17 * MIB))
    await file.abort()
    await file.abort()
    await expect(file.commit()).rejects.toMatchObject({ code: 'store_unavailable' })
    expect(await store.list()).toEqual([])
    await store.put(NAME, Buffer.from('again'))
    expect((await readAll(store, NAME)).toString()).toBe('again')
  })

  it('keeps a file that was committed before it was given up', async () => {
    const { store } = await make()
    const file = await store.begin(NAME)
    await file.write(Buffer.from('kept'))
    await file.commit()
    await file.abort()
    expect((await readAll(store, NAME)).toString()).toBe('kept')
  })

  it('tells the age of files by its own clock', async () => {
    const { store } = await make()
    const before = await store.now()
    await store.put(NAME, Buffer.from('aged'))
    await store.hold(NAME, true)
    const [file] = await store.list()
    const after = await store.now()
    // A second, for the storage's dates are to the second.
    expect(file?.modifiedAt.getTime()).toBeGreaterThanOrEqual(before.getTime() - 1_000)
    expect(file?.modifiedAt.getTime()).toBeLessThanOrEqual(after.getTime() + 1_000)
  })

  it('removes what is not held, and says what there was', async () => {
    const { store } = await make()
    await store.put(NAME, Buffer.from('old'))
    await store.put('notes.txt', Buffer.from('of others'))
    await store.hold(NAME, true)
    await store.hold(NAME, true)
    expect((await store.list()).map(({ name, held }) => [name, held]).sort()).toEqual([
      ['notes.txt', false],
      [NAME, true],
    ])
    expect(await store.remove(NAME)).toBe('held')
    expect((await readAll(store, NAME)).toString()).toBe('old')
    await store.hold(NAME, false)
    await store.hold(NAME, false)
    expect((await store.list()).every(({ held }) => !held)).toBe(true)
    expect(await store.remove(NAME)).toBe('removed')
    expect(await store.remove(NAME)).toBe('absent')
    expect(await namesIn(store)).toEqual(['notes.txt'])
  })

  it('knows nothing where nothing is', async () => {
    const { store } = await make()
    expect(await store.list()).toEqual([])
    expect(await store.remove(NAME)).toBe('absent')
    await expect(readAll(store, NAME)).rejects.toMatchObject({ code: 'backup_missing' })
    await expect(store.hold(NAME, true)).rejects.toMatchObject({ code: 'backup_missing' })
  })

  it('takes no name that leads elsewhere', async () => {
    const { store } = await make()
    for (const name of ['', '..', '../a', 'a/b', '/etc/passwd', '.hidden', 'a\nb', 'a?sig=x', 'a'.repeat(300)]) {
      const refused = { code: 'store_refused' }
      await expect(store.put(name, Buffer.from('x'))).rejects.toMatchObject(refused)
      await expect(readAll(store, name)).rejects.toMatchObject(refused)
      await expect(store.remove(name)).rejects.toMatchObject(refused)
      await expect(store.hold(name, true)).rejects.toMatchObject(refused)
    }
  })

  it('may be left in the middle of reading', async () => {
    const { store } = await make()
    await writeAll(store, NAME, randomBytesOf(20 * MIB))
    for await (const chunk of store.read(NAME)) if (chunk.length > 0) break
    expect(await store.remove(NAME)).toBe('removed')
  })
}

/** Kills processes that write, at random moments. */
export function itSurvivesKills(make: () => Promise<PlaceUnderTest>, kills: number): void {
  it('has no half file when its process is killed, and the next run succeeds', async () => {
    const { store, child } = await make()
    const bytes = 20 * MIB
    const expected = await hashStored(chunksOf(randomBytesOf(bytes)))
    const whole = await runChild({ store: child, name: 'measured.zst', bytes })
    for (let trial = 0; trial < kills; trial++) {
      const name = `taskforce_backup_20261129_0200${String(trial).padStart(2, '0')}.sql.zst`
      await runChild({ store: child, name, bytes }, Math.random() * whole * 1.1)
      if ((await namesIn(store)).includes(name)) expect(await hashStored(store.read(name))).toEqual(expected)
      const again = await writeAll(store, name, randomBytesOf(bytes)).catch((error: unknown) => error)
      if (again !== undefined) expect(again).toMatchObject({ code: 'backup_exists' })
      expect(await hashStored(store.read(name))).toEqual(expected)
    }
    expect(await store.list()).toHaveLength(kills + 1)
  }, 300_000)
}

/** Gives the milliseconds from its beginning to write to its end. @param killAfterMs absent: it may finish */
async function runChild(order: ChildOrder, killAfterMs?: number): Promise<number> {
  const child = fork(CHILD, [JSON.stringify(order)], { execArgv: ['--disable-warning=ExperimentalWarning'] })
  const exited = once(child, 'exit')
  await once(child, 'message')
  const began = performance.now()
  if (killAfterMs === undefined) {
    const [code] = (await exited) as [number]
    expect(code).toBe(0)
    return performance.now() - began
  }
  await Promise.race([pause(killAfterMs), exited])
  child.kill('SIGKILL')
  await exited
  return killAfterMs
}
