import { app } from '@azure/functions'
import { appContext } from './app-context.ts'
import { traced } from './invocation.ts'

/** A wake that failed five times. Its mission is safe: the sweep finds it by its row. What is left to do is to say so. */
app.storageQueue('run-mission-poison', {
  connection: 'JOBS_STORAGE',
  queueName: 'missions-poison',
  handler: traced((message) => {
    const result = appContext()
    const telemetry = result.ok ? result.app.telemetry : result.telemetry
    telemetry.poisoned({ message: JSON.stringify(message) })
  }),
})
