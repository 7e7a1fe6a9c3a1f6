import type { Environment } from '../environments.ts'
import { az, type Command, type Flags } from './command.ts'

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
