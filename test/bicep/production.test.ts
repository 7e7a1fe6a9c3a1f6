import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ofType, pinned, type Resource } from './environments.ts'

const STORAGE = 'Microsoft.Storage/storageAccounts'
const POSTGRES = 'Microsoft.DBforPostgreSQL/flexibleServers'
const VAULT = 'Microsoft.KeyVault/vaults'
const OPENAI = 'Microsoft.CognitiveServices/accounts'
const SITE = 'Microsoft.Web/sites'
const UNREACHABLE = {
  publicNetworkAccess: 'Disabled',
  siteConfig: {
    ipSecurityRestrictionsDefaultAction: 'Deny',
    ipSecurityRestrictions: [],
    scmIpSecurityRestrictionsUseMain: true,
  },
}
const PRIVATE = ['staging', 'production'] as const

describe.each(PRIVATE)('%s has a network of its own', (environment) => {
  const resources = pinned(environment)

  it('and nothing that holds data is reached from outside it', () => {
    const closed = [STORAGE, VAULT, OPENAI].flatMap((type) => ofType(resources, type))
    expect(closed.length).toBeGreaterThanOrEqual(4)
    const open = closed.filter(({ properties }) => !/^disabled$/i.test(String(properties['publicNetworkAccess'])))
    expect(open.map(({ name }) => name)).toEqual([])
    for (const type of [STORAGE, VAULT, OPENAI]) {
      for (const { properties } of ofType(resources, type)) {
        expect(properties).toMatchObject({ networkAcls: { defaultAction: 'Deny' } })
      }
    }
    expect(ofType(resources, POSTGRES)[0]?.properties).toMatchObject({ network: { publicNetworkAccess: 'Disabled' } })
    expect(ofType(resources, `${POSTGRES}/firewallRules`)).toEqual([])
  })

  it('with a private endpoint and a zone for each part of each of them', () => {
    const targets = ofType(resources, 'Microsoft.Network/privateEndpoints').map(({ name }) =>
      name.split('-', 3).slice(1).join(' '),
    )
    expect(targets.sort()).toEqual(
      [
        'app sites',
        'dataStorage blob',
        'dataStorage queue',
        'hostStorage blob',
        'hostStorage queue',
        'hostStorage table',
        'migrator sites',
        'migratorStorage blob',
        'migratorStorage queue',
        'migratorStorage table',
        'openAi account',
        'postgres postgresqlServer',
        'vault vault',
      ].sort(),
    )
    const groups = ofType(resources, 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups')
    expect(groups).toHaveLength(targets.length)
    const links = ofType(resources, 'Microsoft.Network/privateDnsZones/virtualNetworkLinks')
    expect(links).toHaveLength(ofType(resources, 'Microsoft.Network/privateDnsZones').length)
  })

  it('whose zones are those of the endpoints, and leave the names of others to the internet', () => {
    const asked = ofType(resources, 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups').flatMap(
      ({ properties }) => JSON.stringify(properties).match(/privatelink\.\w+/g) ?? [],
    )
    const zones = ofType(resources, 'Microsoft.Network/privateDnsZones').map(
      ({ name }) => /privatelink\.\w+/.exec(name)?.[0],
    )
    expect(zones.sort()).toEqual([...new Set(asked)].sort())
    for (const { properties } of ofType(resources, 'Microsoft.Network/privateDnsZones/virtualNetworkLinks')) {
      expect(properties['resolutionPolicy']).toBe('NxDomainRedirect')
    }
  })

  it('with a subnet for each app, delegated to Flex, and a group in front of every subnet', () => {
    const network = ofType(resources, 'Microsoft.Network/virtualNetworks')[0]
    const subnets = network?.properties['subnets'] as { name: string; properties: Record<string, unknown> }[]
    expect(subnets.map(({ name }) => name)).toEqual(['functions', 'migrator', 'endpoints', 'deployers'])
    for (const { name, properties } of subnets) {
      expect(properties).toHaveProperty('networkSecurityGroup')
      expect(properties['defaultOutboundAccess']).toBe(false)
      const delegated = JSON.stringify(properties).includes('Microsoft.App/environments')
      expect({ name, delegated }).toEqual({ name, delegated: ['functions', 'migrator'].includes(name) })
    }
    for (const { properties } of ofType(resources, SITE)) {
      expect(properties['virtualNetworkSubnetId']).toMatch(/\/subnets\/(functions|migrator)$/)
      expect(properties).toMatchObject({ outboundVnetRouting: { allTraffic: true } })
    }
  })
})

describe.each(PRIVATE)('%s', (environment) => {
  it('lets the internet reach no migrator', () => {
    const migrator = ofType(pinned(environment), SITE).find(({ tags }) => tags?.['azd-service-name'] === 'migrator')
    expect(migrator?.properties).toMatchObject(UNREACHABLE)
  })
})

describe.each(PRIVATE)('%s has a place for the machine that deploys', (environment) => {
  const resources = pinned(environment)
  const rulesOf = (part: string) =>
    ofType(resources, 'Microsoft.Network/networkSecurityGroups').find(({ name }) => name.includes(part))?.properties[
      'securityRules'
    ] as { properties: Record<string, unknown> }[]
  const subnets = ofType(resources, 'Microsoft.Network/virtualNetworks')[0]?.properties['subnets'] as {
    name: string
    properties: Record<string, unknown>
  }[]
  const prefixOf = (name: string) => subnets.find((one) => one.name === name)?.properties['addressPrefix']

  it('with a way out, and a group of its own that lets in neither the internet nor the apps', () => {
    const subnet = subnets.find(({ name }) => name === 'deployers')
    expect(JSON.stringify(subnet)).toMatch(/natGateways\/nat-taskforce-.*networkSecurityGroups\/nsg-deployers-/)
    const rules = rulesOf('nsg-deployers-').map(({ properties }) => properties)
    expect(rules.map(({ access, direction }) => [access, direction])).toEqual([
      ['Deny', 'Inbound'],
      ['Deny', 'Inbound'],
    ])
    expect(rules).toContainEqual(expect.objectContaining({ protocol: '*', sourceAddressPrefix: 'Internet' }))
    expect(rules).toContainEqual(
      expect.objectContaining({
        protocol: '*',
        sourceAddressPrefixes: [prefixOf('functions'), prefixOf('migrator')],
      }),
    )
  })

  it('that reaches the private endpoints', () => {
    expect(rulesOf('nsg-endpoints-')[0]?.properties).toMatchObject({
      access: 'Allow',
      priority: 100,
      sourceAddressPrefix: 'VirtualNetwork',
      destinationPortRanges: expect.arrayContaining(['443', '5432']) as unknown,
    })
  })
})

describe('production', () => {
  const resources = pinned('production')

  it('lets the internet reach no app', () => {
    for (const { properties } of ofType(resources, SITE)) {
      expect(properties).toMatchObject(UNREACHABLE)
    }
  })

  it('survives the loss of a zone', () => {
    for (const { properties } of ofType(resources, 'Microsoft.Web/serverfarms')) {
      expect(properties).toMatchObject({ zoneRedundant: true })
    }
    expect(ofType(resources, POSTGRES)[0]).toMatchObject({
      sku: { tier: 'GeneralPurpose' },
      properties: {
        highAvailability: { mode: 'ZoneRedundant' },
        backup: { backupRetentionDays: 35, geoRedundantBackup: 'Enabled' },
      },
    })
    for (const { sku } of ofType(resources, STORAGE)) expect(sku?.name).toMatch(/^Standard_G?ZRS$/)
    const ready = ofType(resources, SITE).flatMap(({ properties }) => alwaysReady(properties))
    expect(ready.map(({ name }) => name).sort()).toEqual(['function:run-mission', 'function:sweep', 'http'])
    for (const { instanceCount } of ready) expect(instanceCount).toBeGreaterThanOrEqual(2)
  })

  it('cannot lose the database, the vault or the backups by a slip', () => {
    const locks = ofType(resources, 'Microsoft.Authorization/locks')
    for (const { properties } of locks) expect(properties['level']).toBe('CanNotDelete')
    const locked = locks.map(({ id }) => id.split('/providers/').at(-2)?.split('/').slice(0, 2).join('/'))
    expect(locked.sort()).toEqual([POSTGRES, VAULT, STORAGE].sort())
    expect(locks.some(({ id }) => id.includes('/stdata'))).toBe(true)
  })

  it('says when something is wrong', () => {
    const names = resources
      .filter(({ type }) => /metricAlerts|scheduledQueryRules|activityLogAlerts|smartDetector/.test(type))
      .map(({ name }) => name.replace(/^alert-|-production-\w+$/g, ''))
    expect(names.sort()).toEqual(
      [
        'http-5xx',
        'failed-invocations',
        'exceptions',
        'poisoned',
        'sweep-missing',
        'backup',
        'misconfigured',
        'postgres-cpu',
        'postgres-storage',
        'postgres-connections',
        'postgres-alive',
        'postgres-unreachable',
        'model-throttled',
        'vault-availability',
        'service-health',
        'failure-anomalies',
      ].sort(),
    )
    const alerts = resources.filter(({ type }) => /Alerts$|QueryRules$|AlertRules$/.test(type))
    expect(alerts.filter(({ properties }) => !JSON.stringify(properties).includes('/actionGroups/'))).toEqual([])
    for (const { properties } of ofType(resources, 'Microsoft.Insights/scheduledQueryRules')) {
      expect(properties['skipQueryValidation']).toBe(true)
    }
    // Users who are owners hear of it even where nobody has named an address.
    expect(JSON.stringify(ofType(resources, 'Microsoft.Insights/actionGroups'))).toContain('armRoleReceivers')
    expect(ofType(resources, 'Microsoft.Insights/workbooks')).toHaveLength(1)
  })

  it('watches for lines and functions that there are', () => {
    const events = readFileSync('src/telemetry/events.ts', 'utf8')
    const queries = ofType(resources, 'Microsoft.Insights/scheduledQueryRules').map(({ properties }) =>
      JSON.stringify(properties),
    )
    const lines = queries.flatMap((text) =>
      [...text.matchAll(/\\+"([a-z]+(?:\.[a-z]+)+)\\+"/g)].map(([, name]) => name as string),
    )
    expect(lines.length).toBeGreaterThan(6)
    expect(lines.filter((line) => !events.includes(`'${line}'`))).toEqual([])
    // Postgres that is gone gives its own metric no value.
    expect(lines).toContain('database.connection.failed')
    const sweep = readFileSync('functions/sweep.ts', 'utf8')
    expect(sweep).toContain("app.timer('sweep'")
    const runMission = readFileSync('functions/run-mission.ts', 'utf8')
    expect(runMission).toContain("app.storageQueue('run-mission'")
  })
})

function alwaysReady(properties: Resource['properties']): { name: string; instanceCount: number }[] {
  const config = properties['functionAppConfig'] as {
    scaleAndConcurrency: { alwaysReady: { name: string; instanceCount: number }[] }
  }
  return config.scaleAndConcurrency.alwaysReady
}
