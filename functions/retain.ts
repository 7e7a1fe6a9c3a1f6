import { app } from '@azure/functions'
import { runRetention } from '../src/backup/retention/run-retention.ts'
import { readyApp } from './app-context.ts'
import { traced } from './invocation.ts'
import { isRole } from './role.ts'

/** The default stands in code, so that a missing setting breaks nothing. */
const schedule = process.env['RETAIN_SCHEDULE'] || '0 30 3 * * *'

/** Well within the 10 minutes that a platform update gives an invocation; the next night goes on. */
const MOST_MS = 300_000

if (isRole('app')) {
  app.timer('retain', {
    schedule,
    handler: traced(async () => {
      const { databases, backup } = readyApp()
      await runRetention({ ...backup, db: databases.engine, mostMs: MOST_MS })
    }),
  })
}
