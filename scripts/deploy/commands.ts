import type { Environment } from './environments.ts'
import type { Target } from './target.ts'

/** One call of a program, with no shell between. */
export interface Command {
  program: 'az' | 'git'
  args: string[]
  /** Its output is a secret, or holds one: nothing of it is kept or shown. */
  secret?: true
  /** Meets role assignments that may be minutes old, so a refusal is waited for. */
  patient?: true
  /** What it says, beside the refusals that every patient command waits for, while what it asks starts. */
  notYet?: RegExp
  /** When it is ended, with all that it started. */
  limitMs?: number
  /** Added to the environment that it runs in. */
  env?: Record<string, string>
  /** People read its output while it runs. */
  shown?: true
}

export const showAccount = (): Command => az('account show', { output: 'json' })

/** Names of the resource providers that the subscription may use. */
export const listProviders = (): Command =>
  az('provider list', { query: "[?registrationState=='Registered'].namespace", output: 'json' })

export const listFlexRegions = (): Command => az('functionapp list-flexconsumption-locations', { output: 'json' })

/** Quotas of models in a region: used and allowed. */
export const listModelUsage = ({ location }: Environment): Command =>
  az('cognitiveservices usage list', { location, output: 'json' })

/** Names of those that succeeded, the oldest first; of others too that begin the same. */
export const listDeployments = ({ deployment }: Environment): Command =>
  az('deployment sub list', {
    query: `sort_by([?starts_with(name,'${deployment}') && properties.provisioningState=='Succeeded'], &properties.timestamp)[].name`,
    output: 'json',
  })

export const showDeployment = (name: string): Command =>
  az('deployment sub show', { name, query: 'properties.outputs', output: 'json' })

/** First day of the budget that is there, with a time behind. */
export const readBudgetStart = ({ name }: Environment): Command =>
  az('rest', {
    method: 'get',
    url: `/subscriptions/{subscriptionId}/resourceGroups/rg-taskforce-${name}/providers/Microsoft.Consumption/budgets?api-version=2024-08-01`,
    query: `value[?name=='budget-taskforce-${name}'].properties.timePeriod.startDate | [0]`,
    output: 'json',
  })

export const whatIf = (environment: Environment): Command => ({
  ...az('deployment sub what-if', templateOf(environment)),
  shown: true,
})

export const createInfrastructure = (environment: Environment): Command =>
  az('deployment sub create', { ...templateOf(environment), query: 'properties.outputs', output: 'json' })

const templateOf = ({ newDeployment, location, template, parameters }: Environment): Flags => ({
  name: newDeployment,
  location,
  'template-file': template,
  parameters,
})

/** What is known of a stored package, if it is there. */
export const showPackage = (target: Target, blob: string): Command =>
  patient('storage blob list', { prefix: blob, include: 'm', ...storageOf(target), output: 'json' })

export const storePackage = (
  target: Target,
  { blob, sha256 }: { blob: string; sha256: string },
  file: string,
): Command =>
  patient('storage blob upload', {
    file,
    name: blob,
    metadata: `sha256=${sha256}`,
    overwrite: 'false',
    ...storageOf(target),
    output: 'none',
  })

export const fetchPackage = (target: Target, blob: string, file: string): Command =>
  patient('storage blob download', { name: blob, file, ...storageOf(target), output: 'none' })

/** In place of one of the same name: a deployment that failed is recorded where it would have been. */
export const storeRecord = (target: Target, blob: string, file: string): Command =>
  patient('storage blob upload', {
    file,
    name: blob,
    'content-type': 'application/json',
    overwrite: 'true',
    ...storageOf(target),
    output: 'none',
  })

export const fetchRecords = ({ account, container }: Target, { name }: Environment, folder: string): Command =>
  patient('storage blob download-batch', {
    source: container,
    destination: folder,
    pattern: `${name}/*.json`,
    'account-name': account,
    'auth-mode': 'login',
    output: 'none',
  })

const storageOf = ({ account, container }: Target): Flags => ({
  'account-name': account,
  'container-name': container,
  'auth-mode': 'login',
})

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

/** The longest that a publication takes is some minutes; one that hangs would hold the drain. */
const PUBLISH_MS = 15 * 60_000

export const publish = ({ resourceGroup }: Target, app: string, file: string): Command => ({
  ...patient('functionapp deployment source config-zip', {
    'resource-group': resourceGroup,
    name: app,
    src: file,
    output: 'none',
  }),
  limitMs: PUBLISH_MS,
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

export const readCommit = (): Command => ({ program: 'git', args: ['rev-parse', 'HEAD'] })
export const readChanges = (): Command => ({ program: 'git', args: ['status', '--porcelain'] })

type Flags = Record<string, string>

function az(verb: string, flags: Flags): Command {
  const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value])
  return { program: 'az', args: [...verb.split(' '), ...args] }
}

function patient(verb: string, flags: Flags): Command {
  return { ...az(verb, flags), patient: true }
}

/** As a person could type it. */
export function lineOf({ program, args }: Command): string {
  return [program, ...args.map((arg) => (/^[\w./:=$@,-]+$/.test(arg) ? arg : `"${arg}"`))].join(' ')
}
