import { azureFailureOf } from '../../config/azure-failure.ts'
import { readTokenFailure } from '../../config/entra-credential.ts'
import { TerminalError } from '../../domain/errors.ts'

const UNREACHABLE = 'Look at BACKUP_KEY_URL, and whether the vault admits this app (firewall, private endpoint).'
const RIGHTS =
  'Give the identity the role "Key Vault Crypto Service Encryption User" on the key or its vault, let the vault’s firewall admit it, and see that the key is enabled and not expired.'
const ABSENT =
  'Look at BACKUP_KEY_URL. A deleted key can be recovered while the vault keeps it (soft delete; purge protection keeps anybody from ending that early): az keyvault key recover.'

/** A configured key that can't be used stops the run: no backup is better than one in clear text that nobody expects. */
export function keyUnavailable(keyUrl: string, error: unknown): TerminalError {
  if (error instanceof TerminalError) return error
  const { name, code, statusCode } = azureFailureOf(error)
  if (/Authentication|Credential/.test(name)) {
    const { reason = 'nobody is signed in' } = readTokenFailure(error)
    return keyError(`Entra ID gives no token for the key ${keyUrl} (${reason})`, RIGHTS)
  }
  if (statusCode === 404) return keyError(`There is no key ${keyUrl}`, ABSENT)
  if (statusCode === 401 || statusCode === 403)
    return keyError(`Key Vault refuses the use of the key ${keyUrl} (${code ?? statusCode})`, RIGHTS)
  if (statusCode !== undefined)
    return keyError(`Key Vault answers with an error for the key ${keyUrl} (${code ?? statusCode})`, UNREACHABLE)
  return keyError(
    `The key ${keyUrl} can't be used (${code ?? 'no answer in time, or none that is understood'})`,
    UNREACHABLE,
  )
}

export function keyError(why: string, hint: string): TerminalError {
  return new TerminalError('key_unavailable', `${why}. Nothing was written or read without it.`, { hint })
}
