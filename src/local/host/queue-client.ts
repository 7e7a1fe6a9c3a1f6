import { QueueClient, RestError } from '@azure/storage-queue'

/** Opens a queue by connection string; `UseDevelopmentStorage=true` is Azurite at 127.0.0.1:10001. */
export function openQueue(connectionString: string, queueName: string): QueueClient {
  // The poll loop has its own back-off, and a short outage of Azurite should not hold a stopping host for long.
  return new QueueClient(connectionString, queueName, {
    retryOptions: { maxTries: 3, retryDelayInMs: 200, maxRetryDelayInMs: 1000, tryTimeoutInMs: 10_000 },
  })
}

/** Whether the storage service answered that this queue or message does not exist (any more). */
export function isNotFound(error: unknown): boolean {
  return error instanceof RestError && error.statusCode === 404
}
