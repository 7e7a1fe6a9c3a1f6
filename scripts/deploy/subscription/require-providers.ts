import { z } from 'zod'
import { TerminalError } from '../../../src/domain/errors.ts'
import { listProviders } from '../commands/subscription.ts'
import { readOutput } from '../read-output.ts'
import type { Session } from '../session.ts'
import type { TemplateValues } from './read-template-values.ts'

/** Of all environments in `bicep/`; and App, which Flex Consumption needs for its network. */
export const PROVIDERS = [
  'AlertsManagement',
  'App',
  'Authorization',
  'CognitiveServices',
  'Consumption',
  'DBforPostgreSQL',
  'Insights',
  'KeyVault',
  'ManagedIdentity',
  'Network',
  'OperationalInsights',
  'Resources',
  'Storage',
  'Web',
].map((name) => `Microsoft.${name}`)

/** Of a search service of our own, which the name of an index brings. */
export const SEARCH = 'Microsoft.Search'

/** Whether the subscription may use what the templates are made of. @throws TerminalError `providers_missing` */
export async function requireProviders({ run }: Session, { makesSearch }: TemplateValues): Promise<void> {
  const listed = await readOutput(run, listProviders(), z.array(z.string()))
  const registered = new Set(listed.map((name) => name.toLowerCase()))
  const missing = [...PROVIDERS, ...(makesSearch ? [SEARCH] : [])].filter((name) => !registered.has(name.toLowerCase()))
  if (missing.length === 0) return
  throw new TerminalError('providers_missing', `The subscription may not use ${missing.join(', ')} yet.`, {
    hint: missing.map((name) => `az provider register --wait --namespace ${name}`).join('; '),
  })
}
