import { randomBytes } from 'node:crypto'
import { ask, type AzureRest } from './azure-rest.ts'
import type { Outputs } from './outputs.ts'

const SCOPE = 'https://vault.azure.net/.default'
const VERSION = 'api-version=7.4'
const NOT_THERE = 404

/** Makes the API's key where the vault has none; no template makes a secret, and nobody is shown this one. */
export async function makeApiKey(azure: AzureRest, outputs: Outputs): Promise<'made' | 'there'> {
  const url = `https://${outputs.AZURE_KEY_VAULT_NAME}.vault.azure.net/secrets/${outputs.API_KEY_SECRET_NAME}?${VERSION}`
  const looked = await ask(azure, {
    purpose: 'The API key was not looked for',
    method: 'GET',
    url,
    scope: SCOPE,
    accept: [NOT_THERE],
  })
  if (looked.status !== NOT_THERE) return 'there'
  const value = randomBytes(32).toString('base64url')
  await ask(azure, { purpose: 'The API key was not made', method: 'PUT', url, scope: SCOPE, body: { value } })
  return 'made'
}
