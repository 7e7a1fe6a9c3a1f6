import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { newestVerified } from '../../src/backup/known-backup.ts'
import { encodeManifest } from '../../src/backup/manifest.ts'
import { backupName, manifestFile } from '../../src/backup/name.ts'
import { listBackups } from '../../src/backup/retention/list-backups.ts'
import { pruneBackups } from '../../src/backup/retention/prune.ts'
import { DAY_MS, manifestOf } from '../support/backups.ts'
import { memoryStore, type MemoryStore } from '../support/memory-store.ts'

const START = Date.parse('2026-01-01T02:00:00Z')
const HOUR_MS = DAY_MS / 24
let store: MemoryStore
beforeEach(() => (store = memoryStore(START)))

type Kind = 'verified' | 'unverified' | 'damaged' | 'data only' | 'manifest only'

/** Makes one at the store's time, as a run does. Gives its name. */
async function make(kind: Kind = 'verified', into = store): Promise<string> {
  const name = backupName(new Date(into.clock))
  if (kind !== 'manifest only') await into.put(`${name}.sql.zst`, Buffer.from('data'))
  const manifest = encodeManifest(manifestOf(name, 4, kind === 'unverified' ? ['table x'] : []))
  if (kind === 'damaged') manifest[20] = (manifest[20] ?? 0) ^ 1
  if (kind !== 'data only') await into.put(manifestFile(name), manifest)
  return name
}

/** One a day, the last one now. */
async function makeDaily(count: number, into = store): Promise<string[]> {
  const names = []
  for (let n = 0; n < count; n++) {
    names.push(await make('verified', into))
    if (n + 1 < count) into.clock += DAY_MS
  }
  return names
}

const prune = (over: Partial<Parameters<typeof pruneBackups>[0]> = {}) =>
  pruneBackups({ store, retentionDays: 30, justVerified: undefined, ...over })
const states = async () => Object.fromEntries((await listBackups(store)).map(({ name, state }) => [name, state]))

describe('a list of backups', () => {
  it('says of each what it is, and passes none over', async () => {
    const kinds: Kind[] = ['verified', 'unverified', 'damaged', 'data only', 'manifest only']
    for (const kind of kinds) {
      await make(kind)
      store.clock += DAY_MS
    }
    await store.put('somebody-elses.txt', Buffer.from('x'))
    const known = await listBackups(store)
    expect(known.map(({ state }) => state)).toEqual(['verified', 'unverified', 'damaged', 'incomplete', 'incomplete'])
    expect(known.map(({ hasManifest }) => hasManifest)).toEqual([true, true, true, false, true])
    expect(known.map(({ problem }) => problem)).toEqual([
      undefined,
      "its schema differed from its revision's in 1 lines",
      expect.stringContaining('is damaged'),
      'it has no manifest: its run died, or is under way',
      'its data is missing',
    ])
  })

  it('knows a manifest that is another’s, data of the wrong length, and a second file of the name', async () => {
    const [first = '', second = '', third = ''] = await makeDaily(3)
    const of = (file: string) => store.files.get(file) as { content: Buffer; bytes: number }
    of(manifestFile(first)).content = of(manifestFile(second)).content
    of(`${second}.sql.zst`).bytes = 3
    await store.put(`${third}.sql.zst.enc`, Buffer.from('x'))
    const known = await listBackups(store)
    expect(known.map(({ name, file, state }) => [name, file, state])).toEqual([
      [first, `${first}.sql.zst`, 'damaged'],
      [second, `${second}.sql.zst`, 'damaged'],
      [third, `${third}.sql.zst`, 'verified'],
      [third, `${third}.sql.zst.enc`, 'incomplete'],
    ])
    expect(newestVerified(known)?.name).toBe(third)
  })
})

describe('a prune', () => {
  it('removes by the rule, manifest first, and says what and why', async () => {
    const names = await makeDaily(40)
    const report = await prune({ justVerified: names.at(-1) })
    expect(report.removed.map(({ name }) => name)).toEqual(names.slice(0, 3))
    expect(report.removed[0]?.why).toBe('it is 39 days older than the newest verified one')
    expect(store.removals.slice(0, 2)).toEqual([manifestFile(names[0] ?? ''), `${names[0]}.sql.zst`])
    expect(report).toMatchObject({ place: 'memory', bytesFreed: 12, held: [], wouldRemove: [] })
    expect(report.kept).toMatchObject({ 'it is not older than 30 days': 30, 'it is this run’s own': 1 })
    expect(Object.keys(await states())).toEqual(names.slice(3))
  })

  it('of a dry run removes nothing and says what would go', async () => {
    const names = await makeDaily(40)
    const report = await prune({ justVerified: names.at(-1), dryRun: true })
    expect(report.wouldRemove.map(({ name }) => name)).toEqual(names.slice(0, 3))
    expect(store.removals).toEqual([])
  })

  it('removes nothing when the list breaks off, or nothing was verified', async () => {
    const names = await makeDaily(40)
    store.breakList = true
    await expect(prune({ justVerified: names.at(-1) })).rejects.toMatchObject({ code: 'store_unavailable' })
    store.breakList = false
    await prune()
    expect(store.removals).toEqual([])
  })

  it('asks again before it takes data for what a dead run left: a list may have missed the manifest', async () => {
    const names = await makeDaily(10)
    const list = store.list.bind(store)
    store.list = async () => (await list()).filter(({ name }) => name !== manifestFile(names[0] ?? ''))
    const report = await prune({ justVerified: names.at(-1) })
    expect(store.removals).toEqual([])
    expect(report.kept).toMatchObject({ 'its manifest appeared since it was listed': 1 })
  })

  it('takes "held" for an answer, and leaves a backup that is whole', async () => {
    const names = await makeDaily(34)
    const [first = '', second = '', third = ''] = names
    store.secretlyHeld.add(manifestFile(first)).add(`${second}.sql.zst`)
    const report = await prune({ justVerified: names.at(-1) })
    expect(report.held.map(({ name }) => name)).toEqual([first, second])
    expect(report.removed.map(({ name }) => name)).toEqual([third])
    expect(await states()).toMatchObject({ [first]: 'verified', [second]: 'verified' })
  })

  it('by hand is refused when the newest verified one is over 26 hours old, or there is none', async () => {
    await expect(prune({ byHand: true })).rejects.toMatchObject({ code: 'newest_backup_too_old' })
    const names = await makeDaily(40)
    store.clock += 2 * HOUR_MS
    await make('unverified')
    store.clock += 24 * HOUR_MS + 1
    await expect(prune({ byHand: true })).rejects.toThrow(/is 26 hours old/)
    await expect(prune({ byHand: true, dryRun: true })).rejects.toMatchObject({ code: 'newest_backup_too_old' })
    expect(store.removals).toEqual([])
    store.clock -= 1
    expect((await prune({ byHand: true })).removed.map(({ name }) => name)).toEqual(names.slice(0, 3))
  })

  it('goes over the offsite store by itself: what that has, and whether it answers, says nothing about the first', async () => {
    const offsite = memoryStore(START)
    const names = await makeDaily(40)
    await makeDaily(35, offsite)
    const justVerified = names.at(-1)
    // Not copied yet: nothing new was verified there.
    expect((await prune({ offsite, justVerified })).offsite).toMatchObject({ removed: [] })
    offsite.clock = store.clock
    await make('verified', offsite)
    const { offsite: copied } = await prune({ offsite, justVerified })
    expect(copied).toMatchObject({ removed: names.slice(0, 3).map((name) => ({ name })) })
    offsite.breakList = true
    const report = await prune({ offsite, justVerified })
    expect(report.removed.map(({ name }) => name)).toEqual(names.slice(6, 9))
    expect(report.offsite).toMatchObject({ error: 'The second page of the list did not come' })
  })

  it('that is cut off at any call leaves no half backup in the list, and the next one finishes it', async () => {
    for (let calls = 0; calls < 6; calls++) {
      store = memoryStore(START)
      const names = await makeDaily(40)
      const remove = store.remove.bind(store)
      let left = calls
      store.remove = async (name) => {
        if (left-- === 0) throw new Error('cut off')
        return remove(name)
      }
      await expect(prune({ justVerified: names.at(-1) })).rejects.toThrow('cut off')
      const after = Object.entries(await states())
      expect(after.filter(([, state]) => state === 'verified')).toHaveLength(40 - Math.ceil(calls / 2))
      expect((await listBackups(store)).every(({ hasManifest, bytes }) => !hasManifest || bytes > 0)).toBe(true)
      store.remove = remove
      for (let run = 0; run < 4; run++) await prune({ justVerified: names.at(-1) })
      expect(Object.keys(await states())).toEqual(names.slice(9))
    }
  })

  it('never loses the newest seven or what is held, whatever happens in a store', async () => {
    const kinds = fc.constantFrom<Kind>('verified', 'verified', 'verified', 'unverified', 'damaged', 'data only')
    const one = fc.record({
      kind: kinds,
      hours: fc.integer({ min: 1, max: 24 * 12 }),
      retentionDays: fc.constantFrom(1, 30),
      fault: fc.constantFrom('none', 'none', 'none', 'list', 'cut', 'held'),
      hold: fc.option(fc.nat(20), { nil: undefined, freq: 5 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(one, { maxLength: 40 }), async (history) => {
        store = memoryStore(START)
        const verified: string[] = []
        const held = new Set<string>()
        for (const { kind, hours, retentionDays, fault, hold } of history) {
          store.clock += hours * HOUR_MS
          const name = await make(kind)
          if (kind === 'verified') verified.push(name)
          const all = await listBackups(store)
          const kept = hold === undefined ? undefined : all[hold]
          if (kept?.state === 'verified') {
            held.add(kept.name)
            for (const file of [kept.file, manifestFile(kept.name)]) await store.hold(file, true)
          }
          const { remove } = store
          store.breakList = fault === 'list'
          if (fault === 'cut') store.remove = () => Promise.reject(new Error('cut off'))
          if (fault === 'held') store.remove = async () => 'held'
          await prune({ retentionDays, justVerified: kind === 'verified' ? name : undefined }).catch(() => undefined)
          Object.assign(store, { remove, breakList: false })
          const now = await states()
          for (const must of [...verified.slice(-7), ...held]) expect(now[must]).toBe('verified')
        }
      }),
      { numRuns: 60 },
    )
  })
})
