import { expect, it } from 'vitest'
import { backupWorries } from '../../src/backup/standing.ts'
import type { UpkeepAge } from '../../src/db/queries/upkeep.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const OLD_SCHEMA = 365 * DAY

function run(
  kind: 'backup' | 'drill',
  lastMs: number,
  lastGoodMs: number | undefined,
  report: unknown = {},
): UpkeepAge {
  return { kind, lastMs, lastGoodMs, report }
}

const good = { backup: run('backup', HOUR, HOUR), drill: run('drill', DAY, DAY) }

const CASES: [what: string, runs: UpkeepAge[], schemaMs: number, worries: RegExp[]][] = [
  ['nothing of a new deployment', [], HOUR, []],
  ['the first backup that never came', [good.drill], 27 * HOUR, [/No verified backup in time: there is none/]],
  ['the first drill that never came', [good.backup], 9 * DAY, [/No restore drill that passed in time: there is none/]],
  ['nothing where both are there', [good.backup, good.drill], OLD_SCHEMA, []],
  [
    'nothing of a backup of 25 h 59 min',
    [run('backup', 26 * HOUR - 60_000, 26 * HOUR - 60_000), good.drill],
    OLD_SCHEMA,
    [],
  ],
  [
    'a backup of over 26 h',
    [run('backup', 26 * HOUR + 1, 26 * HOUR + 1), good.drill],
    OLD_SCHEMA,
    [/newest one is 26 h old/],
  ],
  [
    'bad ones since, though they are new',
    [run('backup', 1_000, 27 * HOUR), good.drill],
    OLD_SCHEMA,
    [/newest one is 27 h old/],
  ],
  [
    'a last try that failed',
    [run('backup', 1_000, 2 * HOUR), good.drill],
    OLD_SCHEMA,
    [/last try at a verified backup failed/],
  ],
  ['none that was ever good', [run('backup', 1_000, undefined), good.drill], OLD_SCHEMA, [/there is none/]],
  [
    'a drill of over 8 days',
    [good.backup, run('drill', 8 * DAY + 1, 8 * DAY + 1)],
    OLD_SCHEMA,
    [/restore drill that passed in time/],
  ],
  ['a drill that failed', [good.backup, run('drill', HOUR, DAY)], OLD_SCHEMA, [/restore drill that passed failed/]],
  [
    'a copy that failed',
    [run('backup', HOUR, HOUR, { offsite: { ok: false, why: 'no' } }), good.drill],
    OLD_SCHEMA,
    [/was not copied offsite/],
  ],
]

it.each(CASES)('readiness worries about %s', (_what, runs, schemaMs, worries) => {
  const found = backupWorries({ runs, schemaMs, storeWorry: undefined })
  expect(found).toHaveLength(worries.length)
  worries.forEach((worry, n) => expect(found[n]).toMatch(worry))
})
