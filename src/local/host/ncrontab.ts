import { Cron } from 'croner'

/** The first occurrence after the given time. */
export type NextRun = (after: Date) => Date

const names = /\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|sun|mon|tue|wed|thu|fri|sat)\b/gi

/**
 * Parses an NCRONTAB expression, `{second} {minute} {hour} {day} {month} {day-of-week}` or five fields without seconds, in UTC.
 * Day of month and day of week both have to match, as in NCrontab (cron's own rule is "either").
 * Throws for what NCrontab does not know (`L`, `W`, `#`, `?`, `@daily`), for time spans and for schedules that never come.
 */
export function parseSchedule(expression: string): NextRun {
  const fields = expression.trim().split(/\s+/)
  const known =
    (fields.length === 5 || fields.length === 6) && fields.every((f) => /^[\d*,/-]+$/.test(f.replace(names, '0')))
  if (!known) throw new Error(`"${expression}" is not an NCRONTAB expression of six fields`)
  const cron = readCron(expression)
  const next: NextRun = (after) => {
    const found = cron.nextRun(after)
    if (!found) throw new Error(`the schedule "${expression}" never comes`)
    return found
  }
  next(new Date())
  return next
}

function readCron(expression: string): Cron {
  // NCrontab reads `5/10` as "from 5 on, every 10", which croner calls sloppy.
  const options = { timezone: 'UTC', paused: true, domAndDow: true, sloppyRanges: true, mode: '5-or-6-parts' } as const
  try {
    return new Cron(expression, options)
  } catch (error) {
    throw new Error(`"${expression}" is not an NCRONTAB expression (${(error as Error).message})`, { cause: error })
  }
}
