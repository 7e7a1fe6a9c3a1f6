import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { parseSchedule } from '../../src/local/host/ncrontab.ts'
import { runFixture, stopHosts, userLogs } from './host/run-host.ts'

vi.setConfig({ testTimeout: 30_000 })
afterEach(stopHosts)

describe('NCRONTAB', () => {
  test.each([
    ['* * * * * *', '2026-01-01T00:00:04Z'],
    ['*/5 * * * *', '2026-01-01T00:05:00Z'],
    ['5/10 * * * * *', '2026-01-01T00:00:05Z'],
    ['0 0 2 * * *', '2026-01-01T02:00:00Z'],
    ['0 30 9 * Jan Mon-Fri', '2026-01-01T09:30:00Z'],
    // Friday the 13th: cron's own rule would give Friday the 2nd.
    ['0 0 0 13 * 5', '2026-02-13T00:00:00Z'],
  ])('"%s" comes next at %s', (schedule, expected) => {
    expect(parseSchedule(schedule)(new Date('2026-01-01T00:00:03.500Z'))).toEqual(new Date(expected))
  })

  test.each(['00:05:00', '@daily', '0 0 0 L * *', '0 0 0 ? * *', '* * * *', '61 * * * * *', '0 0 0 31 2 *', ''])(
    '"%s" is refused',
    (schedule) => {
      expect(() => parseSchedule(schedule)).toThrow(/NCRONTAB|never comes/)
    },
  )
})

test('a timer fires at its seconds, never overlaps, and gets the input that the Functions host sends', async () => {
  const host = await runFixture('timer', { env: { TICK: '* * * * * *' } })
  const runs = await vi.waitUntil(
    () => {
      const found = userLogs(host, 'each-second')
      return found.length >= 3 && found
    },
    { timeout: 20_000, interval: 50 },
  )
  for (const run of runs) {
    expect(run.running).toBe(1)
    expect(run.timer).toEqual({ schedule: { adjustForDST: true }, scheduleStatus: null, isPastDue: false })
  }
  // A run takes 1.1 s, so each second would overlap: every other second has to be left out.
  const seconds = runs.map((run) => Math.floor(Date.parse(String(run.at)) / 1000))
  expect(new Set(seconds).size).toBe(seconds.length)
  expect(Math.min(...seconds.slice(1).map((second, index) => second - seconds[index]!))).toBeGreaterThanOrEqual(2)
})

test('runOnStartup runs at once, with the status of a schedule of a minute or more', async () => {
  const host = await runFixture('timer', { env: { TICK: '0 0 0 1 1 *' } })
  const [run] = await vi.waitUntil(() => userLogs(host, 'at-start').length > 0 && userLogs(host, 'at-start'), {
    timeout: 15_000,
  })
  expect(run?.timer).toMatchObject({
    isPastDue: false,
    scheduleStatus: { last: '0001-01-01T00:00:00', next: expect.stringMatching(/T03:00:00.000Z$/) },
  })
})

test('a run that was missed while no host ran is made up for once, and marked as past due', async () => {
  const timerStatusDir = await mkdtemp(join(tmpdir(), 'taskforce-timers-'))
  const missed = { last: null, next: '2026-01-01T00:00:00Z', lastUpdated: '2025-01-01T00:00:00Z' }
  await writeFile(join(timerStatusDir, 'each-second.json'), JSON.stringify(missed))
  const env = { TICK: '0 0 0 1 1 *' }
  const late = await runFixture('timer', { env, timerStatusDir })
  const [run] = await vi.waitUntil(() => userLogs(late, 'each-second').length > 0 && userLogs(late, 'each-second'), {
    timeout: 15_000,
  })
  expect(run?.timer).toMatchObject({ isPastDue: true, scheduleStatus: { next: '2026-01-01T00:00:00.000Z' } })
  await stopHosts()
  const again = await runFixture('timer', { env, timerStatusDir })
  await vi.waitUntil(() => userLogs(again, 'at-start').length > 0, { timeout: 15_000 })
  expect(userLogs(again, 'each-second')).toEqual([])
  await rm(timerStatusDir, { recursive: true })
})
