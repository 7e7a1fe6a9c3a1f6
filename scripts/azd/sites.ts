import type { Call } from './azure-rest.ts'
import type { Outputs } from './outputs.ts'

export const MANAGEMENT = 'https://management.azure.com'
export const MANAGEMENT_SCOPE = `${MANAGEMENT}/.default`

const VERSION = '2024-11-01'

/** A call of the resource manager about an app, such as `func-app/restart`. */
export function manage(outputs: Outputs, path: string, method: 'GET' | 'POST' = 'POST'): Call {
  const { AZURE_SUBSCRIPTION_ID, AZURE_RESOURCE_GROUP } = outputs
  const group = `subscriptions/${AZURE_SUBSCRIPTION_ID}/resourceGroups/${AZURE_RESOURCE_GROUP}`
  return {
    purpose: `${path.split('/').at(-1)} of ${path.split('/')[0]} was not ${method === 'GET' ? 'read' : 'done'}`,
    method,
    url: `${MANAGEMENT}/${group}/providers/Microsoft.Web/sites/${path}?api-version=${VERSION}`,
    scope: MANAGEMENT_SCOPE,
  }
}
