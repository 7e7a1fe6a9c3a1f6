import { globSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ENVIRONMENTS, ofType, pinned, type Resource } from './environments.ts'

const POSTGRES = 'Microsoft.DBforPostgreSQL/flexibleServers'
const SITE = 'Microsoft.Web/sites'

/** Metrics that Azure has, by the type of what they are of; the compiler takes any text, the deployment fails. */
const METRICS: Record<string, readonly string[]> = {
  [POSTGRES]: ['cpu_percent', 'memory_percent', 'storage_percent', 'active_connections', 'is_db_alive', 'iops'],
  [SITE]: ['Http5xx'],
  'Microsoft.CognitiveServices/accounts': ['AzureOpenAIRequests'],
  'Microsoft.KeyVault/vaults': ['Availability'],
}

describe.each(ENVIRONMENTS)('%s', (environment) => {
  const resources = pinned(environment)

  it('has logs of each app in the workspace', () => {
    const sites = ofType(resources, SITE)
    expect(sites).toHaveLength(2)
    const [workspace] = ofType(resources, 'Microsoft.OperationalInsights/workspaces')
    for (const { id } of sites) {
      const settings = ofType(resources, 'Microsoft.Insights/diagnosticSettings').filter((one) =>
        one.id.startsWith(`${id}/providers/`),
      )
      expect(settings.map(({ properties }) => properties)).toEqual([
        expect.objectContaining({
          workspaceId: workspace?.id,
          logs: [{ category: 'FunctionAppLogs', enabled: true }],
        }),
      ])
    }
  })

  it('reads references to the vault as the identity of the app itself', () => {
    const readers = ofType(resources, SITE).map(({ tags, properties }) => [
      tags?.['azd-service-name'],
      String(properties['keyVaultReferenceIdentity']).split('/').slice(-2).join('/'),
    ])
    expect(Object.fromEntries(readers)).toEqual({
      api: `userAssignedIdentities/id-taskforce-${environment}-app`,
      migrator: `userAssignedIdentities/id-taskforce-${environment}-migrator`,
    })
  })

  it('has no service for documents, which costs more than the database, where no index is named', () => {
    expect(resources.filter(({ type }) => type.startsWith('Microsoft.Search/'))).toEqual([])
  })

  it('has a content filter in front of each model', () => {
    const filters = ofType(resources, 'Microsoft.CognitiveServices/accounts/deployments').map(
      ({ properties }) => properties['raiPolicyName'],
    )
    expect(filters.length).toBeGreaterThan(0)
    expect(new Set(filters)).toEqual(new Set(['Microsoft.DefaultV2']))
  })
})

it('has Defender at the Postgres of production, where it is worth its price', () => {
  const states = ENVIRONMENTS.map((environment) => [
    environment,
    ofType(pinned(environment), `${POSTGRES}/advancedThreatProtectionSettings`).map(({ properties }) => properties),
  ])
  expect(Object.fromEntries(states)).toEqual({
    dev: [{ state: 'Disabled' }],
    staging: [{ state: 'Disabled' }],
    production: [{ state: 'Enabled' }],
  })
})

it('caps what the logs of a day cost in dev and staging, and loses none of production', () => {
  const caps = ENVIRONMENTS.map((environment) => [
    environment,
    ofType(pinned(environment), 'Microsoft.OperationalInsights/workspaces')[0]?.properties['workspaceCapping'],
  ])
  expect(Object.fromEntries(caps)).toEqual({
    dev: { dailyQuotaGb: 1 },
    staging: { dailyQuotaGb: 5 },
    production: { dailyQuotaGb: -1 },
  })
})

it.each(['staging', 'production'] as const)('%s lets the key of backups wrap and unwrap', (environment) => {
  const keys = ofType(pinned(environment), 'Microsoft.KeyVault/vaults/keys')
  expect(keys.map(({ name }) => name.split('/')[1])).toEqual(['backups'])
  // With one of them alone backups are made that nobody can read, or none.
  expect(keys[0]?.properties['keyOps']).toEqual(expect.arrayContaining(['wrapKey', 'unwrapKey']))
})

it.each(['staging', 'production'] as const)('%s has each app in its own subnet', (environment) => {
  const subnets = ofType(pinned(environment), SITE).map(({ tags, properties }) => [
    tags?.['azd-service-name'],
    String(properties['virtualNetworkSubnetId']).split('/').at(-1),
  ])
  expect(Object.fromEntries(subnets)).toEqual({ api: 'functions', migrator: 'migrator' })
})

describe('alerts', () => {
  const resources = pinned('production')
  const metrics = ofType(resources, 'Microsoft.Insights/metricAlerts').flatMap(({ properties }) =>
    criteriaOf(properties).map((criterion) => ({ ...criterion, of: typeOf(properties) })),
  )

  it('ask for metrics that there are', () => {
    expect(new Set(metrics.map(({ of }) => of))).toEqual(new Set(Object.keys(METRICS)))
    expect(metrics.filter(({ of, metricName }) => !METRICS[of]?.includes(String(metricName)))).toEqual([])
  })

  it('hear of a Postgres that is down, whose metric is 1 as long as it is up', () => {
    const alive = metrics.filter(({ metricName }) => metricName === 'is_db_alive')
    expect(alive).toEqual([expect.objectContaining({ of: POSTGRES, operator: 'LessThan', threshold: 1 })])
  })

  it('ask for functions by the names that they have', () => {
    const code = globSync('functions/*.ts').map((file) => readFileSync(file, 'utf8'))
    const names = [...code.join('\n').matchAll(/app\.(?:timer|storageQueue|http)\('([\w-]+)'/g)].map(([, name]) => name)
    expect(names).toContain('sweep')
    const queries = ofType(resources, 'Microsoft.Insights/scheduledQueryRules').map(({ properties }) =>
      String(criteriaOf(properties)[0]?.query),
    )
    const asked = queries.flatMap((query) =>
      [...query.matchAll(/\bname (?:==|!=|!?in) \(?"([^"]+)"/g)].map(([, name]) => name),
    )
    expect(asked.filter((name) => !names.includes(name))).toEqual([])
    expect(queries).toContain('requests | where name == "sweep" and success == true')
  })
})

interface Criterion {
  metricName?: string
  query?: string
}

function criteriaOf(properties: Resource['properties']): Criterion[] {
  return (properties['criteria'] as { allOf: Criterion[] }).allOf
}

/** Type of the one resource that an alert watches. */
function typeOf(properties: Resource['properties']): string {
  const [scope = ''] = properties['scopes'] as string[]
  return /\/providers\/([^/]+\/[^/]+)\/[^/]+$/.exec(scope)?.[1] ?? scope
}
