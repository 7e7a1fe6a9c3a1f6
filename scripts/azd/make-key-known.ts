import { z } from 'zod'
import { askFor } from './ask-for.ts'
import { ask, type AzureRest } from './azure-rest.ts'
import type { Outputs } from './outputs.ts'
import { manage } from './sites.ts'

const referenceSchema = z.object({ properties: z.object({ status: z.string() }) })

/**
 * An app that looked for its API key before it was there keeps the failure for hours, and a restart alone does not make it look again.
 * One that has found it is left alone: answers whether it was started anew.
 */
export async function makeKeyKnown(azure: AzureRest, outputs: Outputs): Promise<boolean> {
  const app = outputs.AZURE_FUNCTION_APP_NAME
  const references = `${app}/config/configreferences/appsettings`
  const look = manage(outputs, `${references}/TASKFORCE_API_KEY`, 'GET')
  const { properties } = await askFor(azure, look, referenceSchema)
  if (properties.status === 'Resolved') return false
  await ask(azure, manage(outputs, `${references}/refresh`))
  await ask(azure, manage(outputs, `${app}/restart`))
  return true
}
