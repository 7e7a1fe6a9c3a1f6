import { describe, expect, it } from 'vitest'
import { backupName } from '../../src/backup/name.ts'
import type { KnownBackup } from '../../src/backup/known-backup.ts'
import { chooseRemovals } from '../../src/backup/retention/choose-removals.ts'
import { DAY_MS, known } from '../support/backups.ts'

const START = Date.parse('2026-01-01T02:00:00Z')
const YEAR = 365
const RETENTION_DAYS = 30
/** A month of daily ones, and then trouble. */
const TROUBLE = { from: 100, days: 45 }

interface File extends KnownBackup {
  /** Whether it restores, which only the verifier finds out. */
  good: boolean
  /** By the app's clock, as the job believes it. */
  believedAt: number
}

/** What is there after a run at `now`, of the store's clock; `wrote` is what this run made. */
type Rule = (files: File[], run: { now: number; appNow: number; wrote: File | undefined }) => File[]

const newestFirst = (files: File[]) => files.toSorted((a, b) => (a.name < b.name ? 1 : -1))

const rules = {
  lifecycle: (files, { now }) => files.filter(({ createdAt }) => now - createdAt.getTime() <= RETENTION_DAYS * DAY_MS),
  newestFiles: (files) => newestFirst(files).slice(0, 30),
  afterSuccess: (files, { appNow, wrote }) =>
    wrote === undefined ? files : files.filter(({ believedAt }) => appNow - believedAt <= RETENTION_DAYS * DAY_MS),
  verified: (files, { now, wrote }) => {
    const justVerified = wrote?.state === 'verified' ? wrote.name : undefined
    const { remove } = chooseRemovals({
      backups: files,
      now: new Date(now),
      retentionDays: RETENTION_DAYS,
      justVerified,
    })
    return files.filter(({ name }) => !remove.some((gone) => gone.name === name))
  },
} satisfies Record<string, Rule>

/** One run: what it writes; a file that is bad without anyone's notice is found bad by the verifier, where that works. */
interface Run {
  writes: 'good' | 'bad' | 'nothing'
  verifierWorks?: boolean
  appAhead?: number
}

const inTrouble = (day: number) => day >= TROUBLE.from && day < TROUBLE.from + TROUBLE.days

const scenarios: Record<string, (day: number) => Run[]> = {
  'the job writes nothing for 45 days': (day) => [{ writes: inTrouble(day) ? 'nothing' : 'good' }],
  'its files are bad for 45 days and nobody notices': (day) => [{ writes: inTrouble(day) ? 'bad' : 'good' }],
  'the same, and the verifier is down too': (day) => [
    { writes: inTrouble(day) ? 'bad' : 'good', verifierWorks: !inTrouble(day) },
  ],
  'forty bad tries in one day': (day) =>
    day === TROUBLE.from ? Array.from({ length: 40 }, () => ({ writes: 'bad' as const })) : [{ writes: 'good' }],
  'the app’s clock is 400 days ahead once': (day) => [{ writes: 'good', appAhead: day === TROUBLE.from ? 400 : 0 }],
}

function liveThrough(scenario: (day: number) => Run[], rule: Rule) {
  let files: File[] = []
  let without = 0
  let most = 0
  let fewestGood = Infinity
  for (let day = 0; day < YEAR; day++) {
    scenario(day).forEach(({ writes, verifierWorks = true, appAhead = 0 }, n) => {
      const now = START + day * DAY_MS + n * 60_000
      const appNow = now + appAhead * DAY_MS
      const state = writes === 'good' && verifierWorks ? 'verified' : 'incomplete'
      const made = {
        ...known(now, state, { name: backupName(new Date(appNow)) }),
        good: writes === 'good',
        believedAt: appNow,
      }
      const wrote = writes === 'nothing' ? undefined : made
      files = rule(wrote === undefined ? files : [...files, wrote], { now, appNow, wrote })
    })
    const good = files.filter((file) => file.good).length
    if (good === 0) without++
    if (day >= TROUBLE.from) fewestGood = Math.min(fewestGood, good)
    most = Math.max(most, files.length)
  }
  return { without, most, fewestGood }
}

/** Days of the year without a good backup, by rule: those of docs and peers lose some, ours none. */
const EXPECTED: Record<string, Record<keyof typeof rules, number>> = {
  'the job writes nothing for 45 days': { lifecycle: 15, newestFiles: 0, afterSuccess: 0, verified: 0 },
  'its files are bad for 45 days and nobody notices': { lifecycle: 15, newestFiles: 16, afterSuccess: 15, verified: 0 },
  'the same, and the verifier is down too': { lifecycle: 15, newestFiles: 16, afterSuccess: 15, verified: 0 },
  'forty bad tries in one day': { lifecycle: 0, newestFiles: 1, afterSuccess: 0, verified: 0 },
  'the app’s clock is 400 days ahead once': { lifecycle: 0, newestFiles: 0, afterSuccess: 0, verified: 0 },
}

describe.each(Object.entries(scenarios))('a year in which %s', (name, scenario) => {
  it.each(Object.entries(rules))('days without a good backup under the rule "%s"', (rule, apply) => {
    expect(liveThrough(scenario, apply).without).toBe(EXPECTED[name]?.[rule as keyof typeof rules])
  })

  it('leaves seven good ones at the worst, and costs at most 80 files at once', () => {
    const { most, fewestGood } = liveThrough(scenario, rules.verified)
    expect(fewestGood).toBeGreaterThanOrEqual(7)
    expect(most).toBeLessThanOrEqual(80)
  })
})

it('one run under a wrong app clock leaves one file under the rule of others', () => {
  const scenario = scenarios['the app’s clock is 400 days ahead once']
  expect(liveThrough(scenario ?? (() => []), rules.afterSuccess).fewestGood).toBe(1)
})
