import { app } from '@azure/functions'
import { runRetention } from '../src/backup/retention/run-retention.ts'
import { readyApp } from './app-context.ts'
import { traced } from './invocation.ts'
import { isRole } from './role.ts'

/** The default stands in code, so that a missing setting breaks nothing. */
const schedule = process.env['RETAIN_SCHEDULE'] || '0 30 3 * * *'

/**
 * Of the 30 minutes that the host gives an invocation. The longest part reads all events, some 20 MB a second, so that 20 GB of
 * them fit; cut off by an update of the platform, it has done whole missions, and the next night goes on.
 */
const MOST_MS = 1_200_000

if (isRole('app')) {
  app.timer('retain', {
    schedule,
    handler: traced(async () => {
      const { databases, backup } = readyApp()
      await runRetention({ ...backup, db: databases.engine, mostMs: MOST_MS })
    }),
  })
}
