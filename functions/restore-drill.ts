import { app } from '@azure/functions'
import { drillNewest } from '../src/backup/drill-newest.ts'
import { readyApp } from './app-context.ts'
import { traced } from './invocation.ts'
import { isRole } from './role.ts'

/** The default stands in code, so that a missing setting breaks nothing. */
const schedule = process.env['DRILL_SCHEDULE'] || '0 0 4 * * 0'

if (isRole('app')) {
  app.timer('restore-drill', {
    schedule,
    handler: traced(async () => void (await drillNewest(readyApp().backup))),
  })
}
