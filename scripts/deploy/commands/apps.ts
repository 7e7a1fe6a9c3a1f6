import type { Target } from '../target.ts'
import { LIMITS, patient, type Command } from './command.ts'

export const listSecrets = ({ vault }: Target): Command =>
  patient('keyvault secret list', { 'vault-name': vault, query: '[].name', output: 'json' })

/** From a file, since whoever lists processes sees arguments. */
export const storeApiKey = ({ vault, apiKeySecret }: Target, file: string): Command => ({
  ...patient('keyvault secret set', {
    'vault-name': vault,
    name: apiKeySecret,
    file,
    encoding: 'utf-8',
    output: 'none',
  }),
  secret: true,
})

export const readApiKey = ({ vault, apiKeySecret }: Target): Command => ({
  ...patient('keyvault secret show', { 'vault-name': vault, name: apiKeySecret, query: 'value', output: 'tsv' }),
  secret: true,
})

export const publish = ({ resourceGroup }: Target, app: string, file: string): Command => ({
  ...patient('functionapp deployment source config-zip', {
    'resource-group': resourceGroup,
    name: app,
    src: file,
    output: 'none',
  }),
  limitMs: LIMITS.long,
})

export const restart = ({ resourceGroup, app }: Target): Command =>
  patient('functionapp restart', { 'resource-group': resourceGroup, name: app })

/** Whether the app found the secret that its setting TASKFORCE_API_KEY refers to: "Resolved", or why not. */
export const readApiKeyStatus = (target: Target): Command =>
  patient('rest', {
    method: 'get',
    url: referencesOf(target, 'TASKFORCE_API_KEY'),
    query: 'properties.status',
    output: 'tsv',
  })

/** Has the platform look for secrets anew, which a restart alone does within a day. */
export const refreshSecrets = (target: Target): Command =>
  patient('rest', { method: 'post', url: referencesOf(target, 'refresh'), output: 'none' })

const referencesOf = ({ resourceGroup, app }: Target, last: string) =>
  `/subscriptions/{subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.Web/sites/${app}/config/configreferences/appsettings/${last}?api-version=2024-11-01`

export const readMigratorKey = ({ resourceGroup, migratorApp }: Target): Command => ({
  ...patient('functionapp function keys list', {
    'resource-group': resourceGroup,
    name: migratorApp,
    'function-name': 'migrate',
    query: 'default',
    output: 'tsv',
  }),
  // The host that keeps the keys starts anew with each package.
  notYet: /Not ?Found|Bad ?Request|Internal ?Server ?Error/i,
  secret: true,
})
