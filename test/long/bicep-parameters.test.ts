import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/load-config.ts'
import { bicep, startCompiler, type Compiler } from '../bicep/compiler.ts'
import { ofType, pinned, type Resource } from '../bicep/environments.ts'
import { resolved, settingsIn } from '../bicep/settings.ts'
import { deployedBy } from '../bicep/variants.ts'

const POSTGRES = 'Microsoft.DBforPostgreSQL/flexibleServers'
const SITE = 'Microsoft.Web/sites'
const CREDENTIAL = 'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials'
const ADDRESSES = ['192.0.2.7', '198.51.100.0/24']

/** Production with what an organization gives it. Without a compiler `compile.test.ts` says that these are skipped too. */
const unlessMissing = bicep === undefined ? describe.skip : describe

unlessMissing('production', { timeout: 120_000 }, () => {
  let compiler: Compiler
  const deployed = async (path: string) => (await deployedBy(compiler, path)).resources
  beforeAll(() => {
    compiler = startCompiler(bicep ?? '', { ALLOWED_ADDRESSES: ADDRESSES.join(',') })
  })
  afterAll(() => compiler.close())

  it('is reached from the addresses that are allowed, and from no other', async () => {
    const resources = await deployed('bicep/production.bicepparam')
    const sites = ofType(resources, SITE)
    expect(sites).toHaveLength(2)
    for (const { properties } of sites) {
      expect(properties).toMatchObject({
        publicNetworkAccess: 'Enabled',
        siteConfig: {
          ipSecurityRestrictionsDefaultAction: 'Deny',
          scmIpSecurityRestrictionsUseMain: true,
          ipSecurityRestrictions: [
            { action: 'Allow', ipAddress: '192.0.2.7/32' },
            { action: 'Allow', ipAddress: '198.51.100.0/24' },
          ],
        },
      })
    }
    const stores = ['Microsoft.Storage/storageAccounts', 'Microsoft.KeyVault/vaults'].flatMap((type) =>
      ofType(resources, type),
    )
    expect(stores).toHaveLength(4)
    for (const { name, properties } of stores) {
      const { defaultAction, ipRules } = properties['networkAcls'] as Acls
      expect({ name, defaultAction, addresses: ipRules.map(({ value }) => value) }).toEqual({
        name,
        defaultAction: 'Deny',
        addresses: ADDRESSES,
      })
      expect(properties['publicNetworkAccess']).toMatch(/^enabled$/i)
    }
  })

  it('keeps database, models and documents from those addresses too', async () => {
    const resources = await deployed('test/bicep/variants/with-index.bicepparam')
    const [server] = ofType(resources, POSTGRES)
    expect(server?.properties['network']).toEqual({ publicNetworkAccess: 'Disabled' })
    expect(ofType(resources, `${POSTGRES}/firewallRules`)).toEqual([])
    for (const type of ['Microsoft.CognitiveServices/accounts', 'Microsoft.Search/searchServices']) {
      const [service] = ofType(resources, type)
      expect(service?.properties['publicNetworkAccess']).toMatch(/^disabled$/i)
    }
  })

  it('goes into subnets and private zones of a hub', async () => {
    const resources = await deployed('test/bicep/variants/hub-network.bicepparam')
    const made = /virtualNetworks|networkSecurityGroups|natGateways|publicIPAddresses|privateDnsZones(\/virtual.*)?$/
    expect(resources.filter(({ type }) => made.test(type)).map(({ type }) => type)).toEqual([])
    const subnets = ofType(resources, SITE).map(({ tags, properties }) => [
      tags?.['azd-service-name'],
      properties['virtualNetworkSubnetId'],
    ])
    expect(Object.fromEntries(subnets)).toEqual({
      api: expect.stringMatching(/\/virtualNetworks\/hub\/subnets\/apps$/) as unknown,
      migrator: expect.stringMatching(/\/virtualNetworks\/hub\/subnets\/migrations$/) as unknown,
    })
    const endpoints = ofType(resources, 'Microsoft.Network/privateEndpoints')
    expect(endpoints).toHaveLength(ofType(pinned('production'), 'Microsoft.Network/privateEndpoints').length)
    for (const { properties } of endpoints) {
      expect(properties['subnet']).toEqual({ id: expect.stringMatching(/\/hub\/subnets\/addresses$/) as unknown })
    }
    const zones = ofType(resources, 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups')
    expect(zones).toHaveLength(endpoints.length)
    const elsewhere = zones.filter(
      ({ properties }) =>
        !/"privateDnsZoneId":"[^"]*\/00000000-0000-0000-0000-000000000001\/resourceGroups\/dns['/]/.test(
          JSON.stringify(properties),
        ),
    )
    expect(elsewhere.map(({ name }) => name)).toEqual([])
  })

  it('connects through PgBouncer by transactions, and past it for what needs a session', async () => {
    const resources = await deployed('test/bicep/variants/pooled.bicepparam')
    const values = ofType(resources, `${POSTGRES}/configurations`).map(({ name, properties }) => [
      name.split('/')[1],
      properties['value'],
    ])
    expect(Object.fromEntries(values)).toMatchObject({
      'pgbouncer.enabled': 'true',
      'pgbouncer.pool_mode': 'transaction',
    })
    const result = loadConfig(configurationOf(resources))
    expect(result).toMatchObject({
      ok: true,
      config: { database: { pooler: 'transaction', auth: 'entra' }, warnings: [] },
    })
    if (!result.ok) return
    expect(portOf(result.secrets.databaseUrl)).toBe('6432')
    expect(portOf(result.secrets.databaseDirectUrl)).toBe('5432')
    const migrator = settingsIn(resources, 'migrator')
    expect(portOf(resolved(migrator)['DATABASE_URL'])).toBe('5432')
    expect(migrator).not.toHaveProperty('DATABASE_POOLER')
    const [endpoints] = ofType(resources, 'Microsoft.Network/networkSecurityGroups').filter(({ name }) =>
      name.startsWith('nsg-endpoints-'),
    )
    expect(JSON.stringify(endpoints?.properties)).toContain('"destinationPortRanges":["443","5432","6432"]')
  })

  it('lets GitHub deploy from the one place that is named, and else nobody', async () => {
    const resources = await deployed('test/bicep/variants/deployed-by-github.bicepparam')
    expect(ofType(resources, CREDENTIAL).map(({ name, properties }) => ({ name, ...properties }))).toEqual([
      {
        name: 'id-taskforce-production-deployer/github',
        issuer: 'https://token.actions.githubusercontent.com',
        subject: 'repo:example/taskforce:environment:production',
        audiences: ['api://AzureADTokenExchange'],
      },
    ])
    expect(ofType(pinned('production'), CREDENTIAL)).toEqual([])
  })
})

interface Acls {
  defaultAction: string
  ipRules: { value: string }[]
}

function configurationOf(resources: readonly Resource[]): Record<string, string> {
  return { ...resolved(settingsIn(resources, 'app')), WEBSITE_SITE_NAME: 'func' }
}

function portOf(url: string | undefined): string | undefined {
  return url === undefined ? undefined : new URL(url).port
}
