import { resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bicep, startCompiler, type Compiler } from '../bicep/compiler.ts'
import { ENVIRONMENTS, ofType, pinned, readPinned, type Resource } from '../bicep/environments.ts'
import { givenIn } from '../bicep/rights.ts'
import { deployedBy } from '../bicep/variants.ts'

const POSTGRES = 'Microsoft.DBforPostgreSQL/flexibleServers'
const GROUP = '00000000-0000-0000-0000-00000000000a'

/** What the parameter files find in the shell. */
const VARIABLES = {
  TASKFORCE_ENVIRONMENT_NAME: 'trial',
  OPERATOR_GROUP_ID: GROUP,
  OPENAI_CAPACITY: '',
  POSTGRES_STORAGE_GB: '128',
  RECOVER_DELETED: 'true',
}

/** The environments that ship, with something changed. Without a compiler `compile.test.ts` says that these are skipped too. */
const unlessMissing = bicep === undefined ? describe.skip : describe

unlessMissing('bicep/', { timeout: 120_000 }, () => {
  let compiler: Compiler
  const deployed = async (path: string) => (await deployedBy(compiler, path)).resources
  beforeAll(() => {
    compiler = startCompiler(bicep ?? '', VARIABLES)
  })
  afterAll(() => compiler.close())

  it.each(ENVIRONMENTS)('makes another environment of the shape of %s by another name', async (shape) => {
    const resources = await deployed(`bicep/${shape}.bicepparam`)
    expect(ofType(resources, 'Microsoft.Resources/resourceGroups').map(({ name }) => name)).toEqual([
      'rg-taskforce-trial',
    ])
    const settings = ofType(resources, 'Microsoft.Web/sites/config').map(({ properties }) => properties)
    expect(settings).toContainEqual(expect.objectContaining({ PROFILE: shape }))
  })
  it('leaves storage of Postgres that has grown as large as it is', async () => {
    const sizes = await Promise.all(
      ENVIRONMENTS.map(async (shape) => {
        const [server] = ofType(await deployed(`bicep/${shape}.bicepparam`), POSTGRES)
        return [shape, server?.properties['storage']]
      }),
    )
    expect(Object.fromEntries(sizes)).toMatchObject({
      dev: { storageSizeGB: 128 },
      staging: { storageSizeGB: 128 },
      production: { storageSizeGB: 256 },
    })
  })

  it('resolves its private names for further networks too, and keeps subnets that are named', async () => {
    const resources = await deployed('test/bicep/variants/networks.bicepparam')
    const zoneOf = (name: string) => /privatelink\.(\w+)/.exec(name)?.[1]
    const links = ofType(resources, 'Microsoft.Network/privateDnsZones/virtualNetworkLinks').map(
      ({ name, properties }) => `${zoneOf(name)} in ${/virtualNetworks\/(\w+)/.exec(JSON.stringify(properties))?.[1]}`,
    )
    const zones = ofType(resources, 'Microsoft.Network/privateDnsZones').map(({ name }) => zoneOf(name))
    expect(links.sort()).toEqual(
      zones.flatMap((zone) => ['hub', 'vnet', 'vpn'].map((network) => `${zone} in ${network}`)).sort(),
    )
    const names = ofType(resources, 'Microsoft.Network/privateDnsZones/virtualNetworkLinks').map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    for (const { properties } of ofType(resources, 'Microsoft.Network/privateDnsZones/virtualNetworkLinks')) {
      expect(properties['resolutionPolicy']).toBe('NxDomainRedirect')
    }

    const network = ofType(resources, 'Microsoft.Network/virtualNetworks')[0]
    const subnets = network?.properties['subnets'] as Record<string, unknown>[]
    const [gateway, runners] = subnets.slice(-2)
    expect(gateway).toEqual({
      name: 'GatewaySubnet',
      properties: { addressPrefix: '10.40.2.0/27', delegations: [], natGateway: null, networkSecurityGroup: null },
    })
    expect(JSON.stringify(runners)).toMatch(
      /GitHub\.Network.*natGateways\/nat-taskforce.*networkSecurityGroups\/runners/,
    )
  })

  it('gives people on call what a night needs, and of others only to watch what is not ours', async () => {
    const [ours, others] = await Promise.all([
      deployed('bicep/production.bicepparam'),
      deployed('test/bicep/variants/on-call.bicepparam'),
    ])
    const group = [
      'keyVaultSecretsOfficer on vaults/kv-tf-',
      'reader on resourceGroups/rg-taskforce',
      'storageBlobDataContributor on containers/deployments',
      'websiteContributor on sites/func-taskforce',
      'websiteContributor on sites/func-taskforce-migrator',
    ]
    const ofGroup = (resources: Resource[]) =>
      givenIn(resources)
        .filter((text) => text.startsWith('on call: '))
        .map((text) => text.slice('on call: '.length))
    expect(ofGroup(ours).sort()).toEqual(group)
    expect(ofGroup(others).sort()).toEqual(
      [
        ...group,
        'logAnalyticsReader on workspaces/logs',
        'monitoringReader on accounts/models',
        'monitoringReader on searchServices/documents',
      ].sort(),
    )
    const assignments = ofType(ours, 'Microsoft.Authorization/roleAssignments').map(({ properties }) => properties)
    expect(assignments.filter(({ principalId }) => principalId === GROUP)).toHaveLength(group.length)
  })

  it.each([
    ['deployers', 3],
    ['deployers-of-sites', 2],
  ])('gives a principal that deploys in two ways each right once: %s', async (name, rights) => {
    const snapshot = await compiler.snapshot(resolve(`test/bicep/variants/${name}.bicepparam`))
    const given = ofType(readPinned(JSON.stringify(snapshot)), 'Microsoft.Authorization/roleAssignments')
    expect(given).toHaveLength(rights)
    for (const { properties } of given) expect(properties['principalId']).toMatch(/0d$/)
  })

  it('is called by its own name once that name has a certificate', async () => {
    const [without, bound] = await Promise.all([
      deployedBy(compiler, 'test/bicep/variants/domain.bicepparam'),
      deployedBy(compiler, 'test/bicep/variants/domain-with-certificate.bicepparam'),
    ])
    expect(without.outputs['API_URL']).toMatch(/sites\/func-taskforce-trial-\w+', '[\d-]+'\)\.defaultHostName/)
    expect(bound.outputs['API_URL']).toBe('https://api.example.com')
  })

  it('leaves a locked policy of backups alone, which Azure lets nobody write', async () => {
    const [unlocked, locked] = await Promise.all([
      deployed('bicep/production.bicepparam'),
      deployed('test/bicep/variants/locked-policy.bicepparam'),
    ])
    const containers = 'Microsoft.Storage/storageAccounts/blobServices/containers'
    expect(ofType(unlocked, `${containers}/immutabilityPolicies`)).toHaveLength(1)
    expect(ofType(locked, `${containers}/immutabilityPolicies`)).toEqual([])
    const names = (resources: Resource[]) => ofType(resources, containers).map(({ name }) => name)
    expect(names(locked)).toEqual(names(unlocked))
  })

  it('makes no budget where none can be, and still says where things are', async () => {
    const { resources, outputs } = await deployedBy(compiler, 'test/bicep/variants/no-budget.bicepparam')
    expect(ofType(resources, 'Microsoft.Consumption/budgets')).toEqual([])
    expect(ofType(resources, 'Microsoft.Insights/actionGroups')).toHaveLength(1)
    expect(outputs['AZURE_RESOURCE_GROUP']).toBe('rg-taskforce-trial')
  })

  it('takes back what was deleted, where that is said', async () => {
    const resources = await deployed('bicep/production.bicepparam')
    expect(ofType(resources, 'Microsoft.KeyVault/vaults')[0]?.properties).toMatchObject({ createMode: 'recover' })
    expect(ofType(resources, 'Microsoft.CognitiveServices/accounts')[0]?.properties).toMatchObject({ restore: true })
    const usual = pinned('production')
    expect(ofType(usual, 'Microsoft.KeyVault/vaults')[0]?.properties['createMode']).toBe('default')
    expect(ofType(usual, 'Microsoft.CognitiveServices/accounts')[0]?.properties['restore']).toBe(false)
  })
})
