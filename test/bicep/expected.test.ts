import { expect, it } from 'vitest'
import { ENVIRONMENTS, ofType, pinned, type Environment, type Resource } from './environments.ts'

const SITE = 'Microsoft.Web/sites'
const STORAGE = 'Microsoft.Storage/storageAccounts'
const LOGS = ['StorageRead', 'StorageWrite', 'StorageDelete']

/**
 * What each environment is given on purpose: the snapshots would take any other value with `npm run bicep:snapshot`. Days, MB, and the
 * currency of the subscription.
 */
const EXPECTED = {
  dev: { memory: 2048, concurrency: 500, instances: 40, sku: 'Standard_LRS', immutableDays: 1, budget: 150 },
  staging: { memory: 2048, concurrency: 500, instances: 40, sku: 'Standard_ZRS', immutableDays: 7, budget: 600 },
  production: { memory: 2048, concurrency: 500, instances: 40, sku: 'Standard_GZRS', immutableDays: 14, budget: 3000 },
} satisfies Record<Environment, unknown>

it.each(ENVIRONMENTS)(
  '%s has apps of this size, whose packages are their own and which no page of others calls',
  (environment) => {
    const { memory, concurrency, instances } = EXPECTED[environment]
    const cors = { allowedOrigins: [], supportCredentials: false }
    expect(byName(ofType(pinned(environment), SITE), environment, appFacts)).toEqual({
      'func-taskforce': {
        size: { memory, concurrency, instances },
        identities: ['app', 'backup'],
        package: { container: 'package-app', account: 'sthost', readAs: 'app' },
        cors,
      },
      'func-taskforce-migrator': {
        // One migration at a time.
        size: { memory: 2048, concurrency: 1, instances: 40 },
        identities: ['migrator'],
        package: { container: 'package-migrator', account: 'stmig', readAs: 'migrator' },
        cors,
      },
    })
  },
)

it.each(ENVIRONMENTS)('%s keeps what is deleted, overwritten or backed up for this long', (environment) => {
  const { sku, immutableDays } = EXPECTED[environment]
  const resources = pinned(environment)
  const kept = { deleted: { enabled: true, days: 14 }, deletedContainers: { enabled: true, days: 14 } }
  const facts = (resource: Resource) => storageFacts(resources, resource)
  const own = environment === 'production' ? 'Standard_ZRS' : 'Standard_LRS'
  const ofPackages = {
    sku: own,
    ...kept,
    versions: false,
    oldVersions: [60, 60, ['blockBlob']],
    immutable: [],
    logs: {},
  }
  expect(byName(ofType(resources, STORAGE), environment, facts)).toEqual({
    sthost: ofPackages,
    stmig: ofPackages,
    stdata: {
      ...ofPackages,
      sku,
      versions: true,
      // An append would change a blob that is immutable.
      immutable: [
        ['backups', { immutabilityPeriodSinceCreationInDays: immutableDays, allowProtectedAppendWrites: false }],
      ],
      logs: { blobServices: LOGS },
    },
  })
})

it.each(ENVIRONMENTS)('%s has a budget that says when it is nearly used, and when it is going to be', (environment) => {
  const resources = pinned(environment)
  const groups = ofType(resources, 'Microsoft.Insights/actionGroups')
  expect(groups.map(({ properties }) => properties['enabled'])).toEqual([true])
  const at = (threshold: number, thresholdType: string) => ({
    enabled: true,
    operator: 'GreaterThanOrEqualTo',
    threshold,
    thresholdType,
    contactEmails: [],
    // Roles alone may be too few for Azure.
    contactRoles: ['Owner'],
    contactGroups: groups.map(({ id }) => id),
  })
  const budgets = ofType(resources, 'Microsoft.Consumption/budgets').map(({ properties }) => properties)
  expect(budgets).toEqual([
    expect.objectContaining({
      amount: EXPECTED[environment].budget,
      timeGrain: 'Monthly',
      notifications: {
        actual80: at(80, 'Actual'),
        actual100: at(100, 'Actual'),
        forecast100: at(100, 'Forecasted'),
      },
    }),
  ])
})

/** Facts of each by its name, without what makes the name the only one of the world. */
function byName<T>(
  resources: Resource[],
  environment: Environment,
  facts: (resource: Resource) => T,
): Record<string, T> {
  const shorten = (name: string) => name.replace(new RegExp(`-${environment}-\\w{6}$|[a-z0-9]{13}$`), '')
  return Object.fromEntries(resources.map((resource) => [shorten(resource.name), facts(resource)]))
}

interface AppConfig {
  deployment: { storage: { value: string; authentication: { userAssignedIdentityResourceId: string } } }
  scaleAndConcurrency: {
    instanceMemoryMB: number
    maximumInstanceCount: number
    triggers: { http: { perInstanceConcurrency: number } }
  }
}

function appFacts({ properties, identity }: Resource) {
  const { deployment, scaleAndConcurrency: scale } = properties['functionAppConfig'] as AppConfig
  const { value, authentication } = deployment.storage
  const shortly = (id: string) => /\/id-taskforce-\w+-(\w+)$/.exec(id)?.[1]
  return {
    size: {
      memory: scale.instanceMemoryMB,
      concurrency: scale.triggers.http.perInstanceConcurrency,
      instances: scale.maximumInstanceCount,
    },
    identities: Object.keys((identity as { userAssignedIdentities: object }).userAssignedIdentities).map(shortly),
    package: {
      container: /'(package-\w+)'\)\]$/.exec(value)?.[1],
      account: /\/storageAccounts\/(st[a-z]+?)[a-z0-9]{13}'.*\.primaryEndpoints\.blob/.exec(value)?.[1],
      readAs: shortly(authentication.userAssignedIdentityResourceId),
    },
    cors: (properties['siteConfig'] as { cors: unknown }).cors,
  }
}

interface Rule {
  enabled: boolean
  definition: {
    actions: Record<'version' | 'snapshot', { delete: { daysAfterCreationGreaterThan: number } }>
    filters: { blobTypes: string[] }
  }
}

function storageFacts(resources: Resource[], { id, sku }: Resource) {
  const below = resources.filter((resource) => resource.id.startsWith(`${id}/`))
  const blobs = ofType(below, `${STORAGE}/blobServices`)[0]?.properties
  const policies = ofType(below, `${STORAGE}/managementPolicies`).map(({ properties }) => properties['policy'])
  const oldVersions = (policies as { rules: Rule[] }[]).flatMap(({ rules }) => rules).filter(({ enabled }) => enabled)
  const immutable = ofType(below, `${STORAGE}/blobServices/containers/immutabilityPolicies`)
  return {
    sku: sku?.name,
    deleted: blobs?.['deleteRetentionPolicy'],
    deletedContainers: blobs?.['containerDeleteRetentionPolicy'],
    versions: blobs?.['isVersioningEnabled'],
    oldVersions: oldVersions.flatMap(({ definition: { actions, filters } }) => [
      actions.version.delete.daysAfterCreationGreaterThan,
      actions.snapshot.delete.daysAfterCreationGreaterThan,
      filters.blobTypes,
    ]),
    immutable: immutable.map(({ name, properties }) => [name.split('/')[2], properties]),
    logs: storageLogs(below),
  }
}

/** Categories of logs that are on, by the service of the account; none of one that has none. */
function storageLogs(below: Resource[]): Record<string, string[]> {
  const settings = ofType(below, 'Microsoft.Insights/diagnosticSettings').map(({ id, properties }) => {
    const logs = (properties['logs'] ?? []) as { category: string; enabled: boolean }[]
    const on = logs.filter(({ enabled }) => enabled).map(({ category }) => category)
    return [/\/(\w+Services)\/default\//.exec(id)?.[1] ?? 'account', on] as const
  })
  return Object.fromEntries(settings.filter(([, on]) => on.length > 0))
}
