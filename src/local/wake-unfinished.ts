import { createDatabases } from '../db/connection.ts'
import { connectQueue } from '../engine/connect-queue.ts'
import { createQueueWakes } from '../engine/queue-wakes.ts'
import { sweep } from '../engine/sweep.ts'
import { createTelemetry } from '../telemetry/events.ts'
import { createLogger } from '../telemetry/logger.ts'

/** One sweep at the start, so that what the last run left unfinished goes on now and not with the next minute's sweep. */
export async function wakeUnfinished(appUrl: string, storageConnectionString: string): Promise<number> {
  const databases = createDatabases({ url: appUrl, pooler: undefined, onError: () => undefined })
  const wakes = createQueueWakes(() => connectQueue({ kind: 'connection-string' }, storageConnectionString))
  const telemetry = createTelemetry(createLogger({ level: 'fatal', secrets: [] }))
  try {
    return (await sweep({ db: databases.engine, wakes, telemetry })).due
  } finally {
    await databases.close()
  }
}
