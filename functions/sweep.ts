import { app } from '@azure/functions'
import { sweep } from '../src/engine/sweep.ts'
import { readyApp } from './app-context.ts'
import { traced } from './invocation.ts'
import { isRole } from './role.ts'

/** The default stands in code, so that a missing setting breaks nothing. */
const schedule = process.env['SWEEP_SCHEDULE'] || '0 * * * * *'

if (isRole('app')) {
  app.timer('sweep', {
    schedule,
    handler: traced(async () => {
      const { databases, wakes, telemetry, watchBackups } = readyApp()
      await sweep({ db: databases.engine, wakes, telemetry })
      await watchBackups()
    }),
  })
}
