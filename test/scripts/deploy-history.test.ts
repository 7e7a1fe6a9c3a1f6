import { describe, expect, it } from 'vitest'
import { choosePackage } from '../../scripts/deploy/choose-package.ts'
import { chooseReturn } from '../../scripts/deploy/choose-return.ts'
import type { Standing } from '../../scripts/deploy/migrator.ts'
import { oldestInUse } from '../../scripts/deploy/oldest-in-use.ts'
import type { Package } from '../../scripts/deploy/package/build-package.ts'
import { isRefused } from '../../scripts/deploy/refused.ts'
import { recordBlob, runningRecord, startAfter, worriesOf } from '../../scripts/deploy/records.ts'
import type { TerminalError } from '../../src/domain/errors.ts'
import { record } from '../support/azure/record.ts'

const NOW = new Date('2026-11-29T10:00:00.000Z')

const [C, B, A] = [
  record('c', '2026-11-29T09:00:00.000Z'),
  record('b', '2026-11-28T09:00:00.000Z'),
  record('a', '2026-11-27T09:00:00.000Z'),
] as const
const RECORDS = [C, B, A]

function refusal(work: () => unknown): { code: string; message: string; hint: string | undefined; isRefused: boolean } {
  try {
    work()
  } catch (error) {
    const { code, message, hint } = error as TerminalError
    return { code, message, hint, isRefused: isRefused(error) }
  }
  throw new Error('nothing was refused')
}

describe('when a deployment begins, as it is recorded', () => {
  it('is now, or after the newest where that lies ahead', () => {
    expect(startAfter(NOW.toISOString(), RECORDS)).toBe(NOW.toISOString())
    expect(startAfter(NOW.toISOString(), [])).toBe(NOW.toISOString())
    const ahead = record('d', '2026-11-29T12:00:00.000Z')
    expect(startAfter(NOW.toISOString(), [A, ahead, B])).toBe('2026-11-29T12:00:01.000Z')
  })
})

describe('what is said of a history', () => {
  it('is what can not be read, and what lies ahead by more than clocks differ', () => {
    const near = record('d', '2026-11-29T10:04:00.000Z')
    const far = record('e', '2026-11-29T10:06:00.000Z')
    expect(worriesOf({ records: [far, near, ...RECORDS], unreadable: ['staging/x.json'] }, NOW)).toEqual([
      expect.stringContaining('staging/x.json is no record that can be read'),
      expect.stringContaining(`${recordBlob(far)} was begun in the future, at 2026-11-29T10:06:00.000Z`),
    ])
    expect(worriesOf({ records: RECORDS, unreadable: [] }, NOW)).toEqual([])
  })
})

describe('where a rollback goes to', () => {
  const history = { records: RECORDS, unreadable: [] }

  it('is older than what really runs, whatever the records say', () => {
    expect(choosePackage(history, B)).toBe(A)
    // One that failed and was said to be taken back.
    const failed = record('d', '2026-11-29T09:30:00.000Z', { outcome: 'failed', runs: false })
    expect(choosePackage({ records: [failed, ...RECORDS], unreadable: [] }, failed)).toBe(C)
    expect(choosePackage(history, 'unknown')).toBe(C)
  })

  it.each([
    ['newer', 'staging/20261128T100000Z-1.0.0-x.json', 'records_unreadable'],
    ['of a time that can not be read', 'staging/2-x.json', 'records_unreadable'],
    ['older', 'staging/20261127T100000Z-1.0.0-x.json', undefined],
  ])('is refused where a record that can not be read is %s, unless it is named', (_, name, code) => {
    const damaged = { records: RECORDS, unreadable: [name] }
    if (code === undefined) expect(choosePackage(damaged, C)).toBe(B)
    else
      expect(refusal(() => choosePackage(damaged, C))).toEqual({
        code,
        message: `It would be 1.0.0 (bbbbbbbbbbbb), but newer records can't be read: ${name}. Nothing was changed.`,
        hint: 'Say which: --to VERSION or COMMIT. There are: 1.0.0 (cccccccccccc), 1.0.0 (bbbbbbbbbbbb), 1.0.0 (aaaaaaaaaaaa).',
        isRefused: true,
      })
    expect(choosePackage(damaged, C, 'bbbbbbb')).toBe(B)
  })

  it('by a version is never what runs, and has to be said by the commit where several have it', () => {
    expect(choosePackage({ records: [C, B], unreadable: [] }, C, '1.0.0')).toBe(B)
    expect(refusal(() => choosePackage(history, C, '1.0.0'))).toEqual({
      code: 'version_ambiguous',
      message: 'Several packages are of 1.0.0: 1.0.0 (bbbbbbbbbbbb), 1.0.0 (aaaaaaaaaaaa). Nothing was changed.',
      hint: 'Say which by its commit, the newest is: --to bbbbbbbbbbbb',
      isRefused: true,
    })
    expect(refusal(() => choosePackage(history, C, 'ccccccc'))).toMatchObject({ code: 'already_runs', isRefused: true })
  })

  it('of a commit with several packages, as in dev with changes, has to be said by the package or its file', () => {
    const [one, other] = ['1'.repeat(64), '2'.repeat(64)] as const
    const changed = (sha256: string, startedAt: string) =>
      record('b', startedAt, { package: { blob: `packages/b-changed-${sha256.slice(0, 12)}.zip`, sha256, bytes: 1 } })
    const newer = changed(other, '2026-11-28T12:00:00.000Z')
    const older = changed(one, '2026-11-28T10:00:00.000Z')
    // One of them twice, of which the newest record counts.
    const records = [C, newer, older, changed(other, '2026-11-28T09:30:00.000Z'), A]
    const choose = (to: string, running: typeof C = C) => choosePackage({ records, unreadable: [] }, running, to)
    expect(refusal(() => choose('b'.repeat(40)))).toEqual({
      code: 'version_ambiguous',
      message: `Several packages are of ${'b'.repeat(40)}: 1.0.0 (bbbbbbbbbbbb, package 222222222222 of ${newer.startedAt}), 1.0.0 (bbbbbbbbbbbb, package 111111111111 of ${older.startedAt}). Nothing was changed.`,
      hint: 'Say which by its package, the newest is: --to 222222222222',
      isRefused: true,
    })
    expect(choose('222222222222')).toBe(newer)
    for (const to of [one, '1111111', 'b-changed-111111111111.zip']) expect(choose(to)).toBe(older)
    expect(refusal(() => choose('111111'))).toMatchObject({ code: 'no_such_version' })
    // What runs is out of the question.
    expect(choose('bbbbbbb', newer)).toBe(older)
    expect(refusal(() => choose('2222222', newer))).toMatchObject({ code: 'already_runs' })
  })

  it('starts from the newest record that left its package, where nothing else is known', () => {
    expect(choosePackage(history, runningRecord(RECORDS))).toBe(B)
  })
})

describe('where a deployment that fails goes back to, and the oldest code in use until then', () => {
  const history = { records: RECORDS, unreadable: [] }
  const made = { sha256: 'd', codeRevision: 9 } as Package
  const standing = (revision: number, minCode: number) => ({ revision, minCode }) as Standing
  /** That runs, and is newer than all that were tested. */
  const untested = (codeRevision: number) =>
    record('e', '2026-11-29T09:30:00.000Z', { outcome: 'failed', codeRevision })

  it.each([
    ['what runs, which was tested once', B, { to: B }],
    ['the newest that was tested, where what runs never was', untested(3), { to: C }],
    ['the newest that was tested, where no record tells what runs', 'unknown', { to: C }],
    ['the newest that was tested, where nothing is known', undefined, { to: C }],
    ['nothing, where that is this package', record('d', '2026-11-29T08:00:00.000Z'), { same: expect.anything() }],
  ] as const)('is %s', (_, running, expected) => {
    const records = typeof running === 'object' && !RECORDS.includes(running) ? [running, ...RECORDS] : RECORDS
    const chosen = chooseReturn({ history: { records, unreadable: [] }, before: { running, isAnswered: true }, made })
    expect(chosen).toEqual(expected)
  })

  it('is nothing where nothing was ever tested', () => {
    expect(chooseReturn({ history: { records: [untested(3)], unreadable: [] }, made })).toEqual({ none: true })
    expect(chooseReturn({ made })).toEqual({ none: true })
  })

  it.each([
    ['what runs', untested(2), standing(4, 1), 2],
    ['what a failure goes back to', untested(5), standing(4, 1), 3],
    ['what the schema works with, where nothing tells what runs', 'unknown', standing(4, 1), 1],
    ['none that the schema does not work with anyway', untested(2), standing(4, 3), 3],
    ['the new one, where the database is empty', untested(2), standing(0, 0), 9],
  ] as const)('is of %s', (_, running, before, expected) => {
    const seen = { running, isAnswered: true }
    expect(oldestInUse({ startedAt: '', history, before: seen }, made, before)).toBe(expected)
  })
})
