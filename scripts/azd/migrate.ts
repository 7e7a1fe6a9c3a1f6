import { z } from 'zod'
import { ask, type AzureRest, type Call } from './azure-rest.ts'
import type { Outputs } from './outputs.ts'

const SCOPE = 'https://management.azure.com/.default'
const VERSION = 'api-version=2025-03-01'

const keysSchema = z.object({ default: z.string().min(1) })
const standingSchema = z.object({ revision: z.int() })

/**
 * Has the migrator make the app's login and bring the schema up to the code, then starts the app anew: one that looked for its
 * API key before it was there keeps the failure for hours. Answers the schema's revision.
 */
export async function migrate(azure: AzureRest, outputs: Outputs): Promise<number> {
  const key = keysSchema.parse(
    (await ask(azure, manage(outputs, `${outputs.AZURE_MIGRATOR_APP_NAME}/functions/migrate/listKeys`))).json,
  ).default
  const { json } = await ask(azure, {
    purpose: 'The database was not migrated',
    method: 'POST',
    url: `${outputs.MIGRATOR_URL}/migrate`,
    headers: { 'x-functions-key': key },
    body: {
      action: 'all',
      logins: [{ name: outputs.APP_IDENTITY_NAME, principalId: outputs.APP_IDENTITY_PRINCIPAL_ID }],
    },
  })
  await ask(azure, manage(outputs, `${outputs.AZURE_FUNCTION_APP_NAME}/restart`))
  return standingSchema.parse(json).revision
}

function manage({ AZURE_SUBSCRIPTION_ID, AZURE_RESOURCE_GROUP }: Outputs, path: string): Call {
  const group = `subscriptions/${AZURE_SUBSCRIPTION_ID}/resourceGroups/${AZURE_RESOURCE_GROUP}`
  return {
    purpose: `${path.split('/').at(-1)} of ${path.split('/')[0]} was not done`,
    method: 'POST',
    url: `https://management.azure.com/${group}/providers/Microsoft.Web/sites/${path}?${VERSION}`,
    scope: SCOPE,
  }
}
