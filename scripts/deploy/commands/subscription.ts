import type { Environment } from '../environments.ts'
import { az, LIMITS, type Command, type Flags } from './command.ts'

export const showAccount = (): Command => az('account show', { output: 'json' })

/** Names of the resource providers that the subscription may use. */
export const listProviders = (): Command =>
  az('provider list', { query: "[?registrationState=='Registered'].namespace", output: 'json' })

export const listFlexRegions = (isZonal: boolean): Command =>
  az('functionapp list-flexconsumption-locations', { ...(isZonal ? { 'zone-redundant': 'true' } : {}), output: 'json' })

export const showBicepVersion = (): Command => az('bicep version', {})

/** Values of the parameter file, with those of the shell. */
export const readTemplateParameters = ({ parameters }: Environment): Command => {
  const command = az('bicep build-params', { file: parameters })
  return { ...command, args: [...command.args, '--stdout'] }
}

/** Sizes of Postgres that a region has, and how they can be spread over zones. */
export const listPostgresSizes = ({ location }: Environment): Command =>
  az('postgres flexible-server list-skus', { location, output: 'json' })

/** Where a group is, which no deployment can change. */
export const showGroupRegion = ({ resourceGroup }: Environment): Command =>
  az('group show', { name: resourceGroup, query: 'location', output: 'json' })

export const groupExists = ({ resourceGroup }: Environment): Command =>
  az('group exists', { name: resourceGroup, output: 'json' })

/** Versions of models in a region and when they end, of Azure OpenAI alone; there are hundreds of others. */
export const listModels = (location: string): Command =>
  az('cognitiveservices model list', {
    location,
    query: "[?kind=='OpenAI'].model.{name: name, version: version, ends: deprecation.inference, skus: skus}",
    output: 'json',
  })

/** Quotas of models in a region: used and allowed. */
export const listModelUsage = (location: string): Command =>
  az('cognitiveservices usage list', { location, output: 'json' })

/** Where the parts are and what the shell gave, from the last deployment that came to its end, whether npm, azd or az made it. */
export const showOutputs = ({ resourceGroup }: Environment): Command =>
  az('deployment group show', {
    'resource-group': resourceGroup,
    name: 'taskforce-outputs',
    query: 'properties.outputs.{environment: environment.value, fromShell: fromShell.value}',
    output: 'json',
  })

/** First day of the budget that is there, with a time behind. */
export const readBudgetStart = ({ name, resourceGroup }: Environment): Command =>
  az('rest', {
    method: 'get',
    url: `/subscriptions/{subscriptionId}/resourceGroups/${resourceGroup}/providers/Microsoft.Consumption/budgets?api-version=2024-08-01`,
    query: `value[?name=='budget-taskforce-${name}'].properties.timePeriod.startDate | [0]`,
    output: 'json',
  })

/** Servers of the group and their storage in GB, which the Azure CLI wrote with a capital B once. */
export const listServers = ({ resourceGroup }: Environment): Command =>
  az('postgres flexible-server list', {
    'resource-group': resourceGroup,
    query: '[].{host:fullyQualifiedDomainName, gb:storage.storageSizeGb || storage.storageSizeGB}',
    output: 'json',
  })

export const whatIf = (environment: Environment): Command => ({
  ...az('deployment sub what-if', templateOf(environment)),
  limitMs: LIMITS.long,
  shown: true,
})

export const createInfrastructure = (environment: Environment): Command => ({
  ...az('deployment sub create', { ...templateOf(environment), output: 'none' }),
  limitMs: LIMITS.infrastructure,
})

const templateOf = ({ deployment, location, template, parameters }: Environment): Flags => ({
  name: deployment,
  location,
  'template-file': template,
  parameters,
})
