import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bicep, startCompiler, type Compiler } from '../bicep/compiler.ts'
import { ofType, readPinned, type Resource } from '../bicep/environments.ts'

// That CI has a compiler is asserted in test/bicep/compile.test.ts.
const unlessMissing = bicep === undefined ? describe.skip : describe

unlessMissing('bicep/, with other parameters than ours,', { timeout: 120_000 }, () => {
  let compiler: Compiler
  let folder: string
  beforeAll(() => {
    compiler = startCompiler(bicep ?? '')
    folder = mkdtempSync(join(tmpdir(), 'bicep-'))
    cpSync('bicep', folder, { recursive: true })
  })
  afterAll(() => {
    compiler.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const withShape = async (name: string, change: string) => {
    const path = join(folder, 'changed.bicepparam')
    const text = readFileSync(join('bicep', `${name}.bicepparam`), 'utf8')
    writeFileSync(
      path,
      text.replace(/param shape = (\S+)/, (_, shape: string) => `param shape = union(${shape}, ${change})`),
    )
    return compiler.snapshot(path)
  }

  /** What a parameter file with these lines at its end would deploy. */
  const withLines = async (name: string, lines: string): Promise<Resource[]> => {
    const path = join(folder, 'changed.bicepparam')
    writeFileSync(path, `${readFileSync(join('bicep', `${name}.bicepparam`), 'utf8')}\n${lines}\n`)
    return readPinned(JSON.stringify(await compiler.snapshot(path)))
  }

  const blocks = [...readFileSync('docs/azure-parameters.md', 'utf8').matchAll(/```bicep\n([^]*?)```/g)]
  it.each(blocks.map(([, lines = '']) => lines))('is what the page of parameters shows: %s', async (lines) => {
    const ours = lines.replaceAll('SUBSCRIPTION', '00000000-0000-0000-0000-000000000001')
    expect((await withLines('production', ours)).length).toBeGreaterThan(40)
  })

  it('takes a value of the shape as that page shows it', async () => {
    const [, change = ''] =
      /`param shape = union\(environments\.production, (.*?)\)`/.exec(
        readFileSync('docs/azure-parameters.md', 'utf8'),
      ) ?? []
    expect(JSON.stringify(await withShape('production', change))).toContain('Standard_D8ds_v5')
    expect(blocks.length).toBe(3)
  })

  it('uses what is there already, and gives the rights where it is', async () => {
    const subnet =
      '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/hub/providers/Microsoft.Network/virtualNetworks/hub'
    const resources = await withLines(
      'production',
      `param existing = {
        openAi: { name: 'their-openai', resourceGroup: 'ai' }
        search: { name: 'their-search', resourceGroup: 'ai' }
        postgresHost: 'theirs.postgres.database.azure.com'
        postgresMaxConnections: 859
        logAnalyticsWorkspaceId: '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/logs/providers/Microsoft.OperationalInsights/workspaces/theirs'
        network: {
          id: '${subnet}'
          functionsSubnetId: '${subnet}/subnets/functions'
          migratorSubnetId: '${subnet}/subnets/migrator'
          endpointsSubnetId: '${subnet}/subnets/endpoints'
          dnsResourceGroupId: '/subscriptions/00000000-0000-0000-0000-000000000005/resourceGroups/dns'
        }
      }
      param searchIndex = 'documents'`,
    )
    const own =
      /CognitiveServices|Search\/|DBforPostgreSQL|OperationalInsights|virtualNetworks|natGateways|privateDnsZones$/
    expect(resources.filter(({ type }) => own.test(type)).map(({ type }) => type)).toEqual([])
    const given = ofType(resources, 'Microsoft.Authorization/roleAssignments').map(({ id }) => id)
    expect(given.filter((id) => /resourceGroups\/ai\/.*(their-openai|their-search)/.test(id))).toHaveLength(2)
    const text = JSON.stringify(resources)
    expect(text).toMatch(/-app@theirs\.postgres\.database\.azure\.com:5432\/taskforce/)
    expect(text).toContain('"AZURE_SEARCH_INDEX":"documents"')
    expect(text).toContain('/subscriptions/00000000-0000-0000-0000-000000000005/resourceGroups/dns/')
    for (const { properties } of ofType(resources, 'Microsoft.Web/sites')) {
      expect(properties['virtualNetworkSubnetId']).toMatch(/hub\/subnets\/(functions|migrator)$/)
    }
  })

  it('opens storage, vault and apps to single addresses, and Postgres to none', async () => {
    const resources = await withLines('production', "param allowedAddresses = ['192.0.2.7']")
    for (const type of ['Microsoft.Storage/storageAccounts', 'Microsoft.KeyVault/vaults']) {
      for (const { properties } of ofType(resources, type)) {
        expect(properties['networkAcls']).toMatchObject({ defaultAction: 'Deny', ipRules: [{ value: '192.0.2.7' }] })
      }
    }
    for (const { properties } of ofType(resources, 'Microsoft.Web/sites')) {
      expect(properties).toMatchObject({
        publicNetworkAccess: 'Enabled',
        siteConfig: {
          ipSecurityRestrictionsDefaultAction: 'Deny',
          ipSecurityRestrictions: [{ ipAddress: '192.0.2.7/32', action: 'Allow' }],
        },
      })
    }
    expect(JSON.stringify(ofType(resources, 'Microsoft.DBforPostgreSQL/flexibleServers'))).toContain(
      '"publicNetworkAccess":"Disabled"',
    )
  })

  it('binds a host name, with its certificate once there is one', async () => {
    const bound = async (lines: string) =>
      ofType(await withLines('production', lines), 'Microsoft.Web/sites/hostNameBindings').map(
        ({ name, properties }) => ({
          name: name.split('/')[1],
          sslState: properties['sslState'],
        }),
      )
    const domain = "param customDomain = 'api.example.com'"
    expect(await bound(domain)).toEqual([{ name: 'api.example.com', sslState: 'Disabled' }])
    expect(await bound(`${domain}\nparam certificateThumbprint = 'AB12'`)).toEqual([
      { name: 'api.example.com', sslState: 'SniEnabled' },
    ])
  })

  it('refuses more instances than Postgres has connections for', async () => {
    await expect(withShape('dev', "{ postgres: { skuName: 'Standard_B1ms' } }")).rejects.toThrow(/has 50 connections/)
    await expect(withShape('staging', '{ functionApp: { maximumInstanceCount: 200 } }')).rejects.toThrow(/pooler: true/)
    const pooled = '{ functionApp: { maximumInstanceCount: 200 }, postgres: { pooler: true } }'
    expect(await withShape('staging', pooled)).toBeDefined()
  })

  it('refuses a size whose connections nobody has looked up', async () => {
    const unknown = withShape('dev', "{ postgres: { skuName: 'Standard_D99' } }")
    await expect(unknown).rejects.toThrow(/does not know Standard_D99/)
  })

  it('refuses one always-ready instance in two zones', async () => {
    const one = withShape('production', "{ functionApp: { alwaysReady: [{ name: 'http', instanceCount: 1 }] } }")
    await expect(one).rejects.toThrow(/at least 2/)
  })

  it('gives, through PgBouncer, the address past it too', async () => {
    const text = JSON.stringify(await withShape('production', '{ postgres: { pooler: true } }'))
    expect(text).toContain('"DATABASE_POOLER":"transaction"')
    expect(text).toMatch(/"DATABASE_URL":"[^"]*:6432\//)
    expect(text).toMatch(/"DATABASE_DIRECT_URL":"[^"]*:5432\//)
    expect(text).toMatch(/pgbouncer\.enabled/)
  })
})
