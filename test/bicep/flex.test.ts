import { describe, expect, it } from 'vitest'
import { ENVIRONMENTS, ofType, pinned, type Resource } from './environments.ts'

/** ARM refuses an app on Flex Consumption that has one of these; the compiler takes them all. */
const REFUSED_SETTINGS = [
  'FUNCTIONS_WORKER_RUNTIME',
  'FUNCTIONS_WORKER_RUNTIME_VERSION',
  'FUNCTIONS_EXTENSION_VERSION',
  'WEBSITE_NODE_DEFAULT_VERSION',
  'WEBSITE_RUN_FROM_PACKAGE',
  'SCM_DO_BUILD_DURING_DEPLOYMENT',
  'ENABLE_ORYX_BUILD',
  'WEBSITE_CONTENTAZUREFILECONNECTIONSTRING',
  'WEBSITE_CONTENTSHARE',
  'WEBSITE_CONTENTOVERVNET',
  'WEBSITE_VNET_ROUTE_ALL',
  'WEBSITE_MAX_DYNAMIC_APPLICATION_SCALE_OUT',
  'FUNCTIONS_MAX_HTTP_CONCURRENCY',
  'FUNCTIONS_WORKER_PROCESS_COUNT',
  'WEBSITE_DNS_SERVER',
  'WEBSITE_TIME_ZONE',
  'TZ',
]

const REFUSED_PROPERTIES = [
  'ftpsState',
  'linuxFxVersion',
  'windowsFxVersion',
  'functionAppScaleLimit',
  'preWarmedInstanceCount',
  'use32BitWorkerProcess',
  'alwaysOn',
  'nodeVersion',
  'healthCheckPath',
  'containerSize',
  'vnetContentShareEnabled',
  'vnetImagePullEnabled',
  'vnetRouteAllEnabled',
  'appSettings',
]

/** What has no diagnostic setting, and why. */
const UNWATCHED: Record<string, string> = {
  'Microsoft.Insights/components': 'its lines are in the workspace already',
  'Microsoft.ManagedIdentity/userAssignedIdentities': 'has no logs and no metrics',
  'Microsoft.Network/natGateways': 'has metrics only, which need no setting to be read',
  'Microsoft.Network/privateEndpoints': 'has metrics only, which need no setting to be read',
  'Microsoft.Network/privateDnsZones': 'has metrics only, which need no setting to be read',
  'Microsoft.Resources/resourceGroups': 'the activity log has it',
}

/** Parts of another resource, and what only describes. */
const NO_RESOURCE = /^Microsoft\.(Authorization|Consumption|AlertsManagement|Insights\/(?!components))/i

describe.each(ENVIRONMENTS)('%s', (environment) => {
  const resources = pinned(environment)

  it('has one plan of Flex Consumption for each app', () => {
    const plans = ofType(resources, 'Microsoft.Web/serverfarms')
    expect(plans).toHaveLength(2)
    for (const plan of plans) {
      expect(plan).toMatchObject({ sku: { name: 'FC1', tier: 'FlexConsumption' }, properties: { reserved: true } })
    }
    const used = ofType(resources, 'Microsoft.Web/sites').map(({ properties }) => properties['serverFarmId'])
    expect(new Set(used).size).toBe(2)
  })

  it('has no setting and no property that Flex refuses', () => {
    const settings = ofType(resources, 'Microsoft.Web/sites/config').flatMap(({ properties }) =>
      Object.keys(properties),
    )
    expect(settings.length).toBeGreaterThan(20)
    expect(settings.filter((name) => REFUSED_SETTINGS.includes(name))).toEqual([])
    const sites = ofType(resources, 'Microsoft.Web/sites').map(({ properties }) => properties)
    expect(sites.flatMap(keysBelow).filter((name) => REFUSED_PROPERTIES.includes(name))).toEqual([])
  })

  it('has two always-ready instances of each kind where there are zones, and none where it may sleep', () => {
    for (const { properties } of ofType(resources, 'Microsoft.Web/sites')) {
      const text = JSON.stringify(properties)
      const counts = [...text.matchAll(/"instanceCount":(\d+)/g)].map(([, count]) => Number(count))
      if (environment !== 'production') expect(counts).toEqual([])
      for (const count of counts) expect(count).toBeGreaterThanOrEqual(2)
    }
  })

  it('lets no old instance run beside what a migration takes away', () => {
    const strategies = ofType(resources, 'Microsoft.Web/sites').map(
      ({ properties }) => (properties['functionAppConfig'] as Record<string, unknown>)['siteUpdateStrategy'],
    )
    expect(strategies).toEqual([{ type: 'Recreate' }, { type: 'Recreate' }])
  })

  it('scales as little as Azure is sure to take, or more', () => {
    for (const { properties } of ofType(resources, 'Microsoft.Web/sites')) {
      const count = /"maximumInstanceCount":(\d+)/.exec(JSON.stringify(properties))?.[1]
      expect(Number(count)).toBeGreaterThanOrEqual(40)
    }
  })

  it('watches each resource, or says why not', () => {
    const watched = new Set(ofType(resources, 'Microsoft.Insights/diagnosticSettings').map(({ id }) => ownerOf(id)))
    const roots = resources.filter(({ type }) => type.split('/').length === 2 && !NO_RESOURCE.test(type))
    const services = resources.filter(({ type }) => /storageAccounts\/(blob|queue|table)Services$/.test(type))
    const silent = [...roots, ...services].filter(({ id, type }) => !watched.has(id) && UNWATCHED[type] === undefined)
    expect(silent.map(({ id }) => id)).toEqual([])
    expect(watched.size).toBeGreaterThan(10)
  })

  it('logs who asks for keys, backups and the database', () => {
    const logsOf = (part: string) =>
      JSON.stringify(
        ofType(resources, 'Microsoft.Insights/diagnosticSettings').find(({ id }) => ownerOf(id).includes(part))
          ?.properties,
      )
    expect(logsOf('/vaults/')).toContain('"audit"')
    expect(logsOf('/flexibleServers/')).toContain('"allLogs"')
    const backups = ofType(resources, 'Microsoft.Insights/diagnosticSettings').find(({ id }) =>
      /\/stdata[^/]+\/blobServices\//.test(id),
    )
    expect(JSON.stringify(backups?.properties)).toContain('StorageRead')
  })
})

function ownerOf(id: string): string {
  return id.replace(/\/providers\/Microsoft\.Insights\/diagnosticSettings\/.*$/, '')
}

function keysBelow(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(keysBelow)
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value as Resource['properties']).flatMap(([key, below]) => [key, ...keysBelow(below)])
}
