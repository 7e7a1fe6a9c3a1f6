import { randomUUID } from 'node:crypto'
import type { BlockBlobClient, ContainerClient } from '@azure/storage-blob'
import { z } from 'zod'
import type { Config } from '../config/config.ts'
import { azureFailureOf } from '../config/azure-failure.ts'
import { entraCredential } from '../config/entra-credential.ts'
import { TerminalError } from '../domain/errors.ts'
import { untilAborted } from '../models/deadlines.ts'
import type { Begin, ClaimResult, Effects } from './ports.ts'

/** One blob for each call that acts once, `{missionId}/{key}`, made before it acts. */
export const EFFECTS_CONTAINER = 'effects'

/** The SDK's own retries included. A storage that is away for longer is no reason to hold the mission. */
const WITHIN_MS = 15_000

/** Four retries, with pauses of 6 s together: those of the SDK's own, 4 s and more, would leave room for one. */
const RETRIES = { maxTries: 5, retryDelayInMs: 300, maxRetryDelayInMs: 3_000 }

/** With a signature that may only create, the storage calls an existing blob forbidden. */
const EXISTS: ReadonlySet<string> = new Set(['BlobAlreadyExists', 'ConditionNotMet', 'UnauthorizedBlobOverwrite'])

/** What a claim's blob holds, as far as it is believed: its texts are shown to models. */
const claimSchema = z.object({
  attempt: z.uuid(),
  instance: z.uuid(),
  tool: z.string().regex(/^[\w.:/-]{1,128}$/),
  at: z.iso.datetime(),
})

/**
 * Connects to nothing yet: the container is made by the first claim that does not find it. The SDK is heavy, so it loads on
 * first use. Throws TerminalError `no_blob_service` where the settings name none.
 */
export async function connectEffects(
  config: Config['storage'],
  connectionString: string | undefined,
): Promise<ContainerClient> {
  const { BlobServiceClient } = await import('@azure/storage-blob')
  const options = { retryOptions: RETRIES }
  if (config.kind === 'connection-string') {
    try {
      return BlobServiceClient.fromConnectionString(connectionString ?? '', options).getContainerClient(
        EFFECTS_CONTAINER,
      )
    } catch {
      throw noBlobService('Correct the connection string in JOBS_STORAGE.')
    }
  }
  if (config.blobServiceUri === undefined) throw noBlobService('Set JOBS_STORAGE__blobServiceUri.')
  const credential = await entraCredential(config.clientId)
  return new BlobServiceClient(config.blobServiceUri, credential, options).getContainerClient(EFFECTS_CONTAINER)
}

function noBlobService(hint: string): TerminalError {
  return new TerminalError('no_blob_service', 'The settings name no blob service', { hint })
}

/** Claims as blobs, which outlive a database that is restored to an earlier time. */
export function createBlobEffects(connect: () => Promise<ContainerClient>, withinMs = WITHIN_MS): Effects {
  let container: Promise<ContainerClient> | undefined
  async function claim(begin: Begin, signal: AbortSignal): Promise<ClaimResult> {
    container ??= connect()
    container.catch(() => (container = undefined))
    return claimBlob(await container, begin, signal)
  }
  return {
    async claim(begin, signal) {
      const bounded = AbortSignal.any([signal, AbortSignal.timeout(withinMs)])
      try {
        return await untilAborted(claim(begin, bounded), bounded)
      } catch (error) {
        signal.throwIfAborted()
        throw unavailable(error)
      }
    },
  }
}

async function claimBlob(
  container: ContainerClient,
  { missionId, key, instance, tool }: Begin,
  signal: AbortSignal,
): Promise<ClaimResult> {
  const blob = container.getBlockBlobClient(`${missionId}/${key}`)
  const attempt = randomUUID()
  const body = JSON.stringify({ attempt, instance, tool, at: new Date().toISOString() })
  try {
    await makeBlob(blob, body, signal).catch(async (error: unknown) => {
      if (azureFailureOf(error).statusCode !== 404) throw error
      await container.createIfNotExists({ abortSignal: signal })
      await makeBlob(blob, body, signal)
    })
    return { kind: 'claimed' }
  } catch (error) {
    if (!EXISTS.has(azureFailureOf(error).code ?? '')) throw error
    const claim = await readClaim(blob, signal)
    // The SDK repeats a request whose answer was lost, and is then refused for what its own first try has made.
    if (claim?.attempt === attempt) return { kind: 'claimed' }
    return { kind: 'taken', by: claim }
  }
}

async function makeBlob(blob: BlockBlobClient, body: string, signal: AbortSignal): Promise<void> {
  await blob.upload(body, Buffer.byteLength(body), {
    conditions: { ifNoneMatch: '*' },
    blobHTTPHeaders: { blobContentType: 'application/json' },
    abortSignal: signal,
  })
}

/** Undefined where it can't be read: that somebody has claimed is known all the same. */
export async function readClaim(
  blob: BlockBlobClient,
  signal: AbortSignal,
): Promise<z.infer<typeof claimSchema> | undefined> {
  try {
    const bytes = await blob.downloadToBuffer(0, undefined, { abortSignal: signal })
    return claimSchema.safeParse(JSON.parse(bytes.toString())).data
  } catch {
    return undefined
  }
}

function unavailable(error: unknown): TerminalError {
  if (error instanceof TerminalError) return notMade(error.message, error.hint)
  const { name, statusCode, code } = azureFailureOf(error)
  if (/Authentication|Credential/.test(name)) {
    return notMade('Entra ID gives no token for the storage', 'Look at JOBS_STORAGE__clientId and at the identity.')
  }
  if (statusCode === 401 || statusCode === 403) {
    return notMade(
      `The storage refuses it (${code ?? statusCode})`,
      'Give the identity the role "Storage Blob Data Contributor" on the storage account, or correct JOBS_STORAGE.',
    )
  }
  if (statusCode !== undefined) return notMade(`The storage answers with an error (${code ?? statusCode})`)
  return notMade(`The storage does not answer (${code ?? 'not in time'})`)
}

function notMade(why: string, hint?: string): TerminalError {
  const message = `The call was not made, because it could not be claimed first. ${why}. Nothing was done; it may be tried again later.`
  return new TerminalError('effects_unavailable', message, { hint })
}
