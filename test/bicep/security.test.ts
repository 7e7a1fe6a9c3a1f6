import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ENVIRONMENTS, ofType, pinned, type Resource } from './environments.ts'

const STORAGE = 'Microsoft.Storage/storageAccounts'
const POSTGRES = 'Microsoft.DBforPostgreSQL/flexibleServers'
const VAULT = 'Microsoft.KeyVault/vaults'
const OPENAI = 'Microsoft.CognitiveServices/accounts'
const SITE = 'Microsoft.Web/sites'

describe.each(ENVIRONMENTS)('%s', (environment) => {
  const resources = pinned(environment)
  const each = (type: string, work: (properties: Resource['properties'], resource: Resource) => void) => {
    const found = ofType(resources, type)
    expect({ type, found: found.length }).not.toEqual({ type, found: 0 })
    for (const resource of found) work(resource.properties, resource)
  }

  it('lets nobody into storage by a key, without TLS 1.2, or without a name', () => {
    each(STORAGE, (properties) =>
      expect(properties).toMatchObject({
        allowSharedKeyAccess: false,
        allowBlobPublicAccess: false,
        allowCrossTenantReplication: false,
        defaultToOAuthAuthentication: true,
        minimumTlsVersion: 'TLS1_2',
        supportsHttpsTrafficOnly: true,
        encryption: { requireInfrastructureEncryption: true },
        networkAcls: { bypass: 'None' },
      }),
    )
    each(`${STORAGE}/blobServices/containers`, ({ publicAccess }) => expect(publicAccess).toBe('None'))
  })

  it('keeps what was deleted in storage, and backups from everybody', () => {
    each(`${STORAGE}/blobServices`, (properties) =>
      expect(properties).toMatchObject({
        deleteRetentionPolicy: { enabled: true },
        containerDeleteRetentionPolicy: { enabled: true },
      }),
    )
    const data = ofType(resources, `${STORAGE}/blobServices`).find(({ name }) => name.startsWith('stdata'))
    expect(data?.properties).toMatchObject({ isVersioningEnabled: true })
    each(`${STORAGE}/managementPolicies`, (properties) =>
      expect(JSON.stringify(properties)).toContain('drop-old-versions'),
    )
    const policies = ofType(resources, `${STORAGE}/blobServices/containers/immutabilityPolicies`)
    expect(policies.map(({ name }) => name)).toEqual([expect.stringMatching(/^stdata.+\/default\/backups\/default$/)])
    const days = Number(policies[0]?.properties['immutabilityPeriodSinceCreationInDays'])
    expect(days).toBeGreaterThan(0)
    // Retention could remove nothing, should a backup be immutable for longer than it is kept.
    expect(days).toBeLessThan(30)
  })

  it('lets nobody into Postgres with a password, or without TLS 1.2', () => {
    each(POSTGRES, (properties) =>
      expect(properties).toMatchObject({
        version: '17',
        authConfig: { activeDirectoryAuth: 'Enabled', passwordAuth: 'Disabled' },
        storage: { autoGrow: 'Enabled' },
        maintenanceWindow: { customWindow: 'Enabled', dayOfWeek: 0, startHour: 2, startMinute: 0 },
      }),
    )
    each(POSTGRES, (properties) => expect(properties).not.toHaveProperty('administratorLogin'))
    const values = ofType(resources, `${POSTGRES}/configurations`).map(({ name, properties }) => [
      name.split('/')[1],
      properties['value'],
    ])
    expect(values).toEqual(
      expect.arrayContaining([
        ['require_secure_transport', 'ON'],
        ['ssl_min_protocol_version', 'TLSv1.2'],
        // What tenants wrote stays out of the logs.
        ['log_parameter_max_length', '0'],
        ['log_parameter_max_length_on_error', '0'],
      ]),
    )
    const administrators = ofType(resources, `${POSTGRES}/administrators`)
    expect(administrators.map(({ name }) => name)).toEqual([expect.stringContaining('-migrator')])
    expect(administrators[0]?.properties).toMatchObject({ principalType: 'ServicePrincipal' })
  })

  it('gives out keys and secrets by roles alone, and purges nothing', () => {
    each(VAULT, (properties) =>
      expect(properties).toMatchObject({
        enableRbacAuthorization: true,
        enablePurgeProtection: true,
        enableSoftDelete: true,
        softDeleteRetentionInDays: 90,
        networkAcls: { bypass: 'None' },
      }),
    )
    expect(ofType(resources, `${VAULT}/secrets`)).toEqual([])
  })

  it('lets nobody ask models or logs by a key', () => {
    each(OPENAI, (properties, { name }) =>
      expect(properties).toMatchObject({ disableLocalAuth: true, customSubDomainName: name }),
    )
    each('Microsoft.Insights/components', (properties) => expect(properties).toMatchObject({ DisableLocalAuth: true }))
    each('Microsoft.OperationalInsights/workspaces', (properties) =>
      expect(properties).toMatchObject({ features: { disableLocalAuth: true } }),
    )
  })

  it('pins the version of every model', () => {
    each(`${OPENAI}/deployments`, (properties) =>
      expect(properties).toMatchObject({
        model: { version: expect.stringMatching(/^\d{4}-/) as string },
        versionUpgradeOption: 'NoAutoUpgrade',
      }),
    )
  })

  it('takes requests over HTTPS alone, and packages from no password', () => {
    each(SITE, (properties) =>
      expect(properties).toMatchObject({
        httpsOnly: true,
        clientAffinityEnabled: false,
        siteConfig: {
          minTlsVersion: '1.2',
          scmMinTlsVersion: '1.2',
          http20Enabled: true,
          remoteDebuggingEnabled: false,
        },
        functionAppConfig: {
          runtime: { name: 'node', version: '24' },
          deployment: { storage: { authentication: { type: 'UserAssignedIdentity' } } },
        },
      }),
    )
    const policies = ofType(resources, `${SITE}/basicPublishingCredentialsPolicies`)
    expect(policies).toHaveLength(4)
    for (const { properties } of policies) expect(properties).toEqual({ allow: false })
    const packages = ofType(resources, SITE).map(
      ({ properties }) => JSON.stringify(properties).match(/package-\w+/)?.[0],
    )
    expect(new Set(packages)).toEqual(new Set(['package-app', 'package-migrator']))
  })

  it('has each resource tagged that takes tags', () => {
    const untagged = resources.filter(({ type, tags }) => TAGGED.has(type) && tags?.['azd-env-name'] !== environment)
    expect(untagged.map(({ name }) => name)).toEqual([])
    const services = ofType(resources, SITE).map(({ tags }) => tags?.['azd-service-name'])
    expect(services.sort()).toEqual(['api', 'migrator'])
  })

  it('holds no secret', () => {
    const text = readFileSync(`test/bicep/snapshots/${environment}.json`, 'utf8')
    expect(text).not.toMatch(/AccountKey=|SharedAccessKey|listKeys|password=|sig=|InstrumentationKey=/i)
    expect(text).not.toMatch(/postgresql:\/\/[^@'"]*:[^@'"/]+@/)
  })
})

const TAGGED = new Set([
  'Microsoft.Resources/resourceGroups',
  STORAGE,
  POSTGRES,
  VAULT,
  OPENAI,
  SITE,
  'Microsoft.Web/serverfarms',
  'Microsoft.ManagedIdentity/userAssignedIdentities',
  'Microsoft.Network/virtualNetworks',
  'Microsoft.Network/networkSecurityGroups',
  'Microsoft.Network/privateEndpoints',
  'Microsoft.Network/privateDnsZones',
  'Microsoft.Network/natGateways',
  'Microsoft.Network/publicIPAddresses',
  'Microsoft.Insights/actionGroups',
  'Microsoft.Insights/components',
  'Microsoft.OperationalInsights/workspaces',
])
