import type { QueueServiceClient } from '@azure/storage-queue'
import { keepsSecrets } from '../../../src/config/keeps-secrets.ts'
import { MISSIONS_QUEUE } from '../../../src/engine/connect-queue.ts'
import { count } from '../../mission/text.ts'
import { causeOf, statusOf } from '../failure.ts'
import { notLookedAt, type Inputs, type Probe } from '../probe.ts'
import { fail, pass, warn, type Finding } from '../report.ts'
import { storageAccount } from '../show-value.ts'
import { NoTokenError, SCOPES } from '../tokens.ts'

const FORM = 'JOBS_STORAGE=CONNECTION-STRING (az storage account show-connection-string --name ACCOUNT)'

/** The queue of wakes. */
export function storageProbe(inputs: Inputs): Probe {
  const probe = (run: Probe['run']): Probe => ({
    group: 'Storage',
    name: 'queue',
    hint: 'start the storage emulator, or correct JOBS_STORAGE',
    run,
  })
  const broken = inputs.broken.get('storage')
  if (broken !== undefined) return probe(() => notLookedAt('queue', broken))
  if (inputs.bare) {
    const missing = 'not set; npm start and npm run mission bring their own'
    return probe(() => [warn('queue', missing, `for a deployment: ${FORM}`)])
  }
  return probe((signal) => inspect(inputs, signal))
}

async function inspect(inputs: Inputs, signal: AbortSignal): Promise<Finding[]> {
  const service = await connect(inputs)
  if (service === undefined) return [fail('queue', 'JOBS_STORAGE is no connection string', FORM)]
  const queue = service.getQueueClient(MISSIONS_QUEUE)
  const place = new URL(queue.url).host
  if (sendsSecret(inputs) && !keepsSecrets(queue.url)) {
    return [
      warn('queue', `not looked at, as a token or signature would go to ${place} unencrypted`, 'use https:// there'),
    ]
  }
  try {
    const { approximateMessagesCount = 0 } = await queue.getProperties({ abortSignal: signal })
    const waiting = `${count(approximateMessagesCount)} ${approximateMessagesCount === 1 ? 'message' : 'messages'}`
    return [pass('queue', `${MISSIONS_QUEUE} at ${place}, ${waiting}`)]
  } catch (error) {
    return [refusal(error, inputs, place)]
  }
}

/** Unlike the app, it makes no queue. Undefined where the connection string is none. */
async function connect({ config, secrets, tokens }: Inputs): Promise<QueueServiceClient | undefined> {
  // Heavy, so it loads only where there is a queue to look at.
  const { QueueServiceClient: Service } = await import('@azure/storage-queue')
  const options = { retryOptions: { maxTries: 1 } }
  const { storage } = config
  if (storage.kind === 'identity') {
    return new Service(storage.queueServiceUri, tokens.credential(SCOPES.storage, storage.clientId), options)
  }
  try {
    return Service.fromConnectionString(secrets.storageConnectionString ?? '', options)
  } catch {
    // Its message repeats the string.
    return undefined
  }
}

/** An account's key signs requests and stays here; a shared access signature and a token go along. */
function sendsSecret({ config, secrets }: Inputs): boolean {
  return config.storage.kind === 'identity' || /SharedAccessSignature=/i.test(secrets.storageConnectionString ?? '')
}

function refusal(error: unknown, { config, secrets }: Inputs, place: string): Finding {
  const identity = config.storage.kind === 'identity'
  if (error instanceof NoTokenError) {
    return fail('queue', 'Entra ID gives no token for the storage', 'see Azure identity, or JOBS_STORAGE with a key')
  }
  const status = statusOf(error)
  const account = /^account ([a-z0-9]+)$/.exec(storageAccount(secrets.storageConnectionString ?? '') ?? '')?.[1]
  const name = account ?? place.split('.')[0] ?? 'ACCOUNT'
  if (status === 404) {
    const hint = `az storage queue create --name ${MISSIONS_QUEUE} --account-name ${name}; or leave it to the first mission`
    return warn('queue', `${place} has no queue ${MISSIONS_QUEUE} yet`, hint)
  }
  if (status === 401 || status === 403) {
    const hint = identity
      ? 'give the identity the role "Storage Queue Data Contributor" on the account'
      : `JOBS_STORAGE="$(az storage account show-connection-string --name ${name} --query connectionString -o tsv)"`
    return fail('queue', `${place} refuses the ${identity ? 'identity' : 'key'} (${status})`, hint)
  }
  if (status !== undefined) return fail('queue', `${place} answers with an error (${status})`, 'correct JOBS_STORAGE')
  const setting = identity ? 'JOBS_STORAGE__queueServiceUri' : 'JOBS_STORAGE'
  return fail('queue', `${place}: ${causeOf(error)}`, `start the storage there, or correct ${setting}`)
}
