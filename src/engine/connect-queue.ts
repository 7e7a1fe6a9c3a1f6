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
      : QueueServiceClient.fromConnectionString(expand(connectionString ?? ''))
  const queue = service.getQueueClient(MISSIONS_QUEUE)
  await queue.createIfNotExists()
  return queue
}

/** Azurite's well-known account, which is public and only opens an emulator. */
function expand(connectionString: string): string {
  if (connectionString !== 'UseDevelopmentStorage=true') return connectionString
  const key = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=='
  const host = 'http://127.0.0.1'
  return [
    'DefaultEndpointsProtocol=http',
    'AccountName=devstoreaccount1',
    `AccountKey=${key}`,
    `BlobEndpoint=${host}:10000/devstoreaccount1`,
    `QueueEndpoint=${host}:10001/devstoreaccount1`,
  ].join(';')
}
