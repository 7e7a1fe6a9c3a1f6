import type { QueueClient } from '@azure/storage-queue'
import type { Config } from '../config/config.ts'
import { entraCredential } from '../config/entra-credential.ts'

export const MISSIONS_QUEUE = 'missions'

/** The queue of wakes, made if it is not there. The SDK is heavy, so it loads on first use. */
export async function connectQueue(
  config: Config['storage'],
  connectionString: string | undefined,
): Promise<QueueClient> {
  const { QueueServiceClient } = await import('@azure/storage-queue')
  const service =
    config.kind === 'identity'
      ? new QueueServiceClient(config.queueServiceUri, await entraCredential(config.clientId))
      : QueueServiceClient.fromConnectionString(connectionString ?? '')
  const queue = service.getQueueClient(MISSIONS_QUEUE)
  await queue.createIfNotExists()
  return queue
}
