import { app } from '@azure/functions'
import { wakeSchema } from '../src/engine/queue-wakes.ts'
import { appContext } from './app-context.ts'
import { traced } from './invocation.ts'
import { isRole } from './role.ts'

/**
 * A wake is a permit to claim whatever mission should move next; the one that it names is only its reason. A failure
 * throws, so that the message comes again and ends in the poison queue. So does an instance that stops before it could use
 * the permit: it is another one's then.
 */
if (isRole('app')) {
  app.storageQueue('run-mission', {
    connection: 'JOBS_STORAGE',
    queueName: 'missions',
    handler: traced(async (message) => {
      wakeSchema.parse(message)
      const result = appContext()
      if (!result.ok) throw new Error('The service is not configured; see /health/ready')
      await result.app.engine.runOne()
    }),
  })
}
