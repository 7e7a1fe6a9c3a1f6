import { app } from '@azure/functions'
import { sweep } from '../src/engine/sweep.ts'
import { appContext } from './app-context.ts'
import { traced } from './invocation.ts'

/** The default stands in code, so that a missing setting breaks nothing. */
const schedule = process.env['SWEEP_SCHEDULE'] || '0 * * * * *'

app.timer('sweep', {
  schedule,
  handler: traced(async () => {
    const result = appContext()
    if (!result.ok) throw new Error('The service is not configured; see /health/ready')
    const { databases, wakes, telemetry } = result.app
    await sweep({ db: databases.engine, wakes, telemetry })
  }),
})
