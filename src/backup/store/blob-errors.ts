import { azureFailureOf } from '../../config/azure-failure.ts'
import { readTokenFailure } from '../../config/entra-credential.ts'
import { TerminalError } from '../../domain/errors.ts'

/** A timeout, an overload, an error of the server's own. */
const PASSING: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504])

/** With a signature that may only create, the storage calls an existing blob forbidden. */
const EXISTS: ReadonlySet<string> = new Set(['BlobAlreadyExists', 'ConditionNotMet', 'UnauthorizedBlobOverwrite'])

/** Whether the same request may succeed a moment later. */
export function mayPass(error: unknown): boolean {
  if (error instanceof TerminalError) return false
  const { name, statusCode } = azureFailureOf(error)
  if (ofIdentity(name)) return readTokenFailure(error).mayPass
  return statusCode === undefined || PASSING.has(statusCode)
}

/** The container is missing, and not only the blob. */
export function isNoContainer(error: unknown): boolean {
  return azureFailureOf(error).code === 'ContainerNotFound'
}

export function isNotFound(error: unknown): boolean {
  return azureFailureOf(error).statusCode === 404
}

export function saysExists(error: unknown): boolean {
  return EXISTS.has(azureFailureOf(error).code ?? '')
}

/** The blob was changed since its ETag was read. */
export function isChanged(error: unknown): boolean {
  return azureFailureOf(error).statusCode === 412
}

/** A legal hold, an immutability policy of the blob or of its container, or somebody's lease. */
export function isHeld(error: unknown): boolean {
  const { code = '', statusCode } = azureFailureOf(error)
  if (statusCode === 412) return code === 'LeaseIdMissing'
  return statusCode === 409 && /Immutable|LegalHold|Immutability/.test(code)
}

/**
 * For people: what it means and what to do.
 * @param place without signatures
 * @param setting that names the account, such as JOBS_STORAGE
 */
export function blobFailure(place: string, setting: string, error: unknown): TerminalError {
  if (error instanceof TerminalError) return error
  const { name, statusCode, code } = azureFailureOf(error)
  if (ofIdentity(name)) {
    const { reason } = readTokenFailure(error)
    return new TerminalError('store_unavailable', `Entra ID gives no token for ${place}${inBrackets(reason)}.`, {
      hint: 'Look at the identity of this app (JOBS_STORAGE__clientId, AZURE_CLIENT_ID), or run az login.',
    })
  }
  if (statusCode === 401 || statusCode === 403)
    return new TerminalError('store_refused', `The storage refuses access to ${place} (${code ?? statusCode}).`, {
      hint: `Give the identity the role "Storage Blob Data Contributor" on the storage account, let its firewall admit this app, or correct ${setting}: a signature needs the rights r, c, w and l; d where old backups are to be removed, i where they are to be held.`,
    })
  if (statusCode !== undefined && !PASSING.has(statusCode))
    return new TerminalError('store_refused', `The storage refuses a request to ${place} (${code ?? statusCode}).`, {
      hint: `Look at the container and at ${setting}.`,
    })
  const what = statusCode === undefined ? 'does not answer' : 'answers with an error'
  return new TerminalError(
    'store_unavailable',
    `The storage ${what}: ${place} (${code ?? statusCode ?? 'not in time'}).`,
    { hint: `Try again later; where it stays away, look at the account and at ${setting}.` },
  )
}

function ofIdentity(name: string): boolean {
  return /Authentication|Credential/.test(name)
}

function inBrackets(reason: string | undefined): string {
  return reason === undefined || reason === '' ? '' : ` (${reason})`
}
