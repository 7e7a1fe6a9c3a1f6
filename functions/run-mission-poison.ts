import { app } from '@azure/functions'
import { takeUpPoisoned } from '../src/engine/poisoned-wake.ts'
import { appContext } from './app-context.ts'
import { traced } from './invocation.ts'
import { isRole } from './role.ts'

/** A wake that failed five times. Its mission is safe: its row tells how it stands, and a fresh wake or the sweep finds it. */
if (isRole('app')) {
  app.storageQueue('run-mission-poison', {
    connection: 'JOBS_STORAGE',
    queueName: 'missions-poison',
    handler: traced(async (message) => {
      const result = appContext()
      if (!result.ok) return result.telemetry.poisoned({ message: JSON.stringify(message) })
      const { databases, wakes, telemetry } = result.app
      await takeUpPoisoned({ db: databases.engine, wakes, telemetry }, message)
    }),
  })
}
