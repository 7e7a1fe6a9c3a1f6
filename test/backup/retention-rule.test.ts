import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { backupName } from '../../src/backup/name.ts'
import type { BackupState, KnownBackup } from '../../src/backup/known-backup.ts'
import { backupAt, lastStored, newestVerified } from '../../src/backup/known-backup.ts'
import { chooseRemovals } from '../../src/backup/retention/choose-removals.ts'
import { DAY_MS, known } from '../support/backups.ts'

const START = Date.parse('2026-01-01T02:00:00Z')
const day = (n: number): number => START + n * DAY_MS
const daily = (count: number, from = 0): KnownBackup[] =>
  Array.from({ length: count }, (_, index) => known(day(from + index)))
const nameOf = (n: number): string => backupName(new Date(day(n)))

function choose(backups: KnownBackup[], over: Partial<Parameters<typeof chooseRemovals>[0]> = {}) {
  const newest = lastStored(backups)
  return chooseRemovals({
    backups,
    now: newest?.createdAt ?? new Date(START),
    retentionDays: 30,
    justVerified: newest?.name,
    ...over,
  })
}
const removed = (...given: Parameters<typeof choose>): string[] => choose(...given).remove.map(({ name }) => name)

describe('the verified rule', () => {
  it('lets go what is older than the retention, the oldest first, and three in a run', () => {
    expect(removed(daily(31))).toEqual([])
    expect(removed(daily(32))).toEqual([nameOf(0)])
    expect(removed(daily(50))).toEqual([nameOf(0), nameOf(1), nameOf(2)])
    const { keep } = choose(daily(50))
    expect(keep.filter(({ why }) => why.endsWith('at most 3 go in a run'))).toHaveLength(16)
    expect(keep).toHaveLength(47)
  })

  it('removes nothing where this run has verified none, or one that is not in the list', () => {
    for (const justVerified of [undefined, nameOf(99)]) expect(removed(daily(50), { justVerified })).toEqual([])
    const unverified = [...daily(50), known(day(50), 'unverified')]
    expect(removed(unverified, { justVerified: nameOf(50) })).toEqual([])
  })

  it('keeps the newest seven verified ones, whatever their age and whatever else is there', () => {
    expect(removed([...daily(8), known(day(300))])).toEqual([nameOf(0), nameOf(1)])
    const bad = Array.from({ length: 40 }, (_, n) => known(day(100 + n), n % 2 === 0 ? 'unverified' : 'damaged'))
    expect(removed([...daily(6), ...bad, known(day(200))])).toEqual([])
  })

  it('never lets go what is held, nor lets it count less than others', () => {
    const backups = daily(50).map((backup, n) => (n < 48 && n !== 2 ? { ...backup, held: true } : backup))
    expect(removed(backups)).toEqual([nameOf(2)])
  })

  it('treats unverified, damaged and emptied ones like verified ones, but does not count them', () => {
    const states: BackupState[] = ['unverified', 'damaged', 'incomplete']
    for (const state of states) {
      const old = known(day(0), state, { hasManifest: true })
      expect(removed([old, ...daily(7, 31)])).toEqual([old.name])
      expect(removed([old, ...daily(6, 32)])).toEqual([])
      expect(removed([old, ...daily(7, 20)])).toEqual([])
    }
  })

  it('lets data without a manifest go after a day, when a verified backup is newer', () => {
    const dead = known(day(10), 'incomplete')
    expect(removed([dead, known(day(11))])).toEqual([])
    expect(removed([dead, known(day(11) + 1)])).toEqual([dead.name])
    expect(removed([{ ...dead, held: true }, known(day(12))])).toEqual([])
    expect(removed([known(day(9)), known(day(12), 'verified', { name: nameOf(8) }), dead])).toEqual([])
  })

  it('keeps thirty days of new ones when the store’s clock was a year ahead for weeks', () => {
    const ahead = Array.from({ length: 20 }, (_, n) => known(day(400 + n), 'verified', { name: nameOf(n) }))
    const since = daily(40, 20)
    const now = new Date(day(59))
    const chosen = chooseRemovals({ backups: [...ahead, ...since], now, retentionDays: 30, justVerified: nameOf(59) })
    expect(chosen.remove.map(({ name }) => name)).toEqual([nameOf(20), nameOf(21), nameOf(22)])
    expect(lastStored([...ahead, ...since])?.name).toBe(nameOf(19))
  })

  it('finds the one of the newest moment, also where copies were stored in another order', () => {
    const copied = [3, 1, 2].map((n, order) => known(day(50) + order, 'verified', { name: nameOf(n) }))
    expect(newestVerified(copied)?.name).toBe(nameOf(3))
    expect(lastStored(copied)?.name).toBe(nameOf(2))
  })

  it('finds the newest verified one before a time', () => {
    const backups = [...daily(5), known(day(5), 'unverified'), known(day(6), 'damaged')]
    expect(newestVerified(backups)?.name).toBe(nameOf(4))
    expect(backupAt(backups, new Date(day(3)))?.name).toBe(nameOf(3))
    expect(backupAt(backups, new Date(day(3) - 1))?.name).toBe(nameOf(2))
    expect(backupAt(backups, new Date(day(0) - 1))).toBeUndefined()
  })
})

/** What happens on one day: runs that make something, and what is true of the clocks then. */
interface Day {
  runs: ('verified' | 'unverified' | 'damaged' | 'incomplete' | 'nothing')[]
  appJump: number
  storeJump: number
  retentionDays: number
  hold: number | undefined
  release: boolean
}

interface Made extends KnownBackup {
  /** In the true order of time. */
  order: number
}

const jumps = fc.oneof(
  { weight: 8, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.integer({ min: -800, max: 800 }) },
)
const dayOf = (app: fc.Arbitrary<number>, store: fc.Arbitrary<number>): fc.Arbitrary<Day> =>
  fc.record({
    runs: fc.oneof(
      { weight: 6, arbitrary: fc.constant<Day['runs']>(['verified']) },
      {
        weight: 3,
        arbitrary: fc.array(
          fc.constantFrom<Day['runs'][number]>('verified', 'unverified', 'damaged', 'incomplete', 'nothing'),
          {
            maxLength: 4,
          },
        ),
      },
      { weight: 1, arbitrary: fc.constant<Day['runs']>(Array.from({ length: 40 }, () => 'unverified')) },
    ),
    appJump: app,
    storeJump: store,
    retentionDays: fc.oneof(
      { weight: 5, arbitrary: fc.constant(30) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 90 }) },
    ),
    hold: fc.option(fc.nat(50), { nil: undefined, freq: 10 }),
    release: fc.boolean(),
  })
const none = fc.constant(0)
const histories = fc.oneof(
  fc.array(dayOf(jumps, none), { minLength: 1, maxLength: 120 }),
  fc.array(dayOf(none, jumps), { minLength: 1, maxLength: 120 }),
)

/** Plays a history, asserting after each run; gives what is left. */
function play(history: readonly Day[], rule = chooseRemovals): Made[] {
  let backups: Made[] = []
  let order = 0
  history.forEach(({ runs, appJump, storeJump, retentionDays, hold, release }, n) => {
    if (release) backups = backups.map((backup) => ({ ...backup, held: false }))
    backups = backups.map((backup, index) => (index === hold ? { ...backup, held: true } : backup))
    runs.forEach((state, run) => {
      const at = day(n) + run * 60_000
      const now = new Date(at + storeJump * DAY_MS)
      const name = backupName(new Date(at + appJump * DAY_MS))
      // The store refuses a second backup of one name.
      if (state === 'nothing' || backups.some((other) => other.name === name)) return
      backups.push({ ...known(now, state, { name }), order: order++ })
      const justVerified = state === 'verified' ? name : undefined
      const { remove, keep } = rule({ backups, now, retentionDays, justVerified })
      const gone = new Set(remove.map((one) => one.name))
      const newest = backups.filter((backup) => backup.state === 'verified').sort((a, b) => b.order - a.order)
      expect(newest.slice(0, 7).filter((backup) => gone.has(backup.name))).toEqual([])
      expect(backups.filter((backup) => backup.held && gone.has(backup.name))).toEqual([])
      expect(remove.length).toBeLessThanOrEqual(justVerified === undefined ? 0 : 3)
      expect(remove.length + keep.length).toBe(backups.length)
      backups = backups.filter((backup) => !gone.has(backup.name))
    })
  })
  return backups
}

describe('over any history', () => {
  it('never loses one of the newest seven verified ones, nor what is held, though one of the clocks jumps', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const left = play(history)
        const made = history.some(({ runs }) => runs.includes('verified'))
        expect(left.some(({ state }) => state === 'verified')).toBe(made)
      }),
      { numRuns: 400 },
    )
  })

  it.each([
    ['the store’s clock alone', byStoreAlone],
    ['the newest three', (rule: Rule) => chooseRemovals({ ...rule, keepNewest: 3 })],
    ['no run of its own', (rule: Rule) => chooseRemovals({ ...rule, justVerified: lastStored(rule.backups)?.name })],
  ])('a rule with %s is found out', (_, rule) => {
    const found = fc.check(
      fc.property(histories, (history) => void play(history, rule)),
      { numRuns: 1_000, seed: 7 },
    )
    expect(found.failed).toBe(true)
  })
})

type Rule = Parameters<typeof chooseRemovals>[0]

/** The same rule, but for the second clock. */
function byStoreAlone({ backups, retentionDays, justVerified, keepNewest = 7, mostPerRun = 3 }: Rule) {
  const verified = backups.filter(({ state }) => state === 'verified')
  const order = verified.toSorted((a, b) => b.createdAt.getTime() - a.createdAt.getTime())
  const oldest = (order[0]?.createdAt.getTime() ?? 0) - retentionDays * DAY_MS
  const old = order.slice(keepNewest).filter(({ createdAt, held }) => !held && createdAt.getTime() < oldest)
  const remove = justVerified === undefined ? [] : old.toReversed().slice(0, mostPerRun)
  const gone = new Set(remove.map(({ name }) => name))
  const keep = backups.filter(({ name }) => !gone.has(name)).map(({ name }) => ({ name, why: '' }))
  return { remove: remove.map((backup) => ({ name: backup.name, why: '', backup })), keep }
}
