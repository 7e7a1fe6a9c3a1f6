import { z } from 'zod'
import { TerminalError } from '../../src/domain/errors.ts'
import type { TemplateParameters } from '../deploy/parameters/remember.ts'
import { ask, signIn, type AzureRest } from './azure-rest.ts'
import { findDeployed } from './find-deployed.ts'
import { keepAsBefore } from './keep-as-before.ts'
import { principalTypeOf } from './principal-type.ts'
import { readPlace } from './read-place.ts'
import { MANAGEMENT, MANAGEMENT_SCOPE } from './sites.ts'

/** What azd gives a hook before anything was provisioned. */
const settingsSchema = z.object({
  AZURE_ENV_NAME: z.string().min(1),
  AZURE_SUBSCRIPTION_ID: z.string().min(1),
  BUDGET_START: z.string().default(''),
  POSTGRES_STORAGE_GB: z.coerce.number().catch(0),
  POSTGRES_SERVER_ID: z.string().default(''),
  POSTGRES_HOST: z.string().default(''),
})

type Settings = z.infer<typeof settingsSchema>

export interface Parameters {
  environment: string
  /** What the templates have to be given, where azd does not have it yet. */
  changed: TemplateParameters
}

const budgetsSchema = z.object({
  value: z.array(
    z.object({
      name: z.string(),
      properties: z.object({ timePeriod: z.object({ startDate: z.string().regex(/^\d{4}-\d\d-\d\d/) }) }),
    }),
  ),
})

const serversSchema = z.object({
  value: z.array(
    z.object({ name: z.string(), properties: z.object({ storage: z.object({ storageSizeGB: z.int() }) }) }),
  ),
})

/** Nobody waits for minutes before a deployment: what can't be read is said, and left as it is. */
const WAITS_MS = [2_000, 5_000]

/**
 * What the templates can't know: what others gave to the infrastructure that is there and azd's environment lacks, who deploys, the month
 * that the budget began in, and the storage of Postgres, which grows by itself and never shrinks. Throws what `readPlace` and
 * `findDeployed` throw.
 */
export async function readParameters(azure: AzureRest, env: NodeJS.ProcessEnv, today: Date): Promise<Parameters> {
  const place = readPlace(env)
  const deployed = await findDeployed(azure, place)
  const kept = keepAsBefore({ environment: place.environment, env, note: azure.note }, deployed?.fromShell ?? {})
  const settings = settingsSchema.parse({
    ...env,
    ...(deployed?.postgresHost === undefined ? {} : { POSTGRES_HOST: deployed.postgresHost }),
    ...kept,
  })
  const changed = {
    ...kept,
    ...(await principalType(azure, env, place.environment)),
    ...(await orNothing(azure, 'The budget', () => budgetStart(azure, settings, today))),
    ...(await orNothing(azure, 'The storage of Postgres', () => postgresStorage(azure, settings))),
  }
  return { environment: place.environment, changed }
}

/** Of who is signed in now, whoever deployed before from here. */
async function principalType(
  azure: AzureRest,
  env: NodeJS.ProcessEnv,
  environment: string,
): Promise<TemplateParameters> {
  const type = principalTypeOf(await signIn(azure, MANAGEMENT_SCOPE))
  if (type !== undefined) return type === env['AZURE_PRINCIPAL_TYPE'] ? {} : { AZURE_PRINCIPAL_TYPE: type }
  azure.note(
    `Who deploys was not read from the token: an app is told of by azd env set AZURE_PRINCIPAL_TYPE ServicePrincipal --environment ${environment}`,
  )
  return {}
}

async function budgetStart(azure: AzureRest, settings: Settings, today: Date): Promise<TemplateParameters> {
  const json = await list(azure, settings, 'Microsoft.Consumption/budgets?api-version=2024-08-01')
  const budgets = json === undefined ? [] : budgetsSchema.parse(json).value
  const budget = budgets.find(({ name }) => name === `budget-taskforce-${settings.AZURE_ENV_NAME}`)
  const start = budget?.properties.timePeriod.startDate.slice(0, 10)
  if (start !== undefined) return start === settings.BUDGET_START ? {} : { BUDGET_START: start }
  // Of one that was there: Azure takes no month that is over for a new one.
  const isOver = settings.BUDGET_START.slice(0, 7) < today.toISOString().slice(0, 7)
  return settings.BUDGET_START !== '' && isOver ? { BUDGET_START: '' } : {}
}

async function postgresStorage(azure: AzureRest, settings: Settings): Promise<TemplateParameters> {
  // The server of somebody else is not changed.
  if (settings.POSTGRES_SERVER_ID !== '') return {}
  const json = await list(azure, settings, 'Microsoft.DBforPostgreSQL/flexibleServers?api-version=2025-08-01')
  const servers = json === undefined ? [] : serversSchema.parse(json).value
  // Beside ours there may be one that Azure restored.
  const [known] = settings.POSTGRES_HOST.split('.')
  const server = servers.length === 1 ? servers[0] : servers.find(({ name }) => name === known)
  const size = server?.properties.storage.storageSizeGB ?? 0
  return size > settings.POSTGRES_STORAGE_GB ? { POSTGRES_STORAGE_GB: String(size) } : {}
}

/** What the environment's resource group has of a kind; undefined where there is no group yet. */
async function list(azure: AzureRest, settings: Settings, kind: string): Promise<unknown> {
  const { AZURE_SUBSCRIPTION_ID: subscription, AZURE_ENV_NAME: name } = settings
  const { status, json } = await ask(azure, {
    purpose: `What is there of ${kind.split('?')[0]} was not read`,
    method: 'GET',
    url: `${MANAGEMENT}/subscriptions/${subscription}/resourceGroups/rg-taskforce-${name}/providers/${kind}`,
    scope: MANAGEMENT_SCOPE,
    accept: [404],
    waits: WAITS_MS,
  })
  return status === 404 ? undefined : json
}

async function orNothing(
  azure: AzureRest,
  what: string,
  read: () => Promise<TemplateParameters>,
): Promise<TemplateParameters> {
  try {
    return await read()
  } catch (error) {
    const why = error instanceof TerminalError ? error.message : 'its answer has another form'
    azure.note(`${what} was not read, so the templates are given what azd has: ${why}`)
    return {}
  }
}
