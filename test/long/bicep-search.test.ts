import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/load-config.ts'
import { bicep, startCompiler, type Compiler } from '../bicep/compiler.ts'
import { ofType, pinned, type Resource } from '../bicep/environments.ts'
import { givenIn } from '../bicep/rights.ts'
import { resolved, settingsIn } from '../bicep/settings.ts'
import { deployedBy } from '../bicep/variants.ts'

const SEARCH = 'Microsoft.Search/searchServices'
const unlessMissing = bicep === undefined ? describe.skip : describe

unlessMissing('the name of an index', { timeout: 120_000 }, () => {
  const without = pinned('production')
  let compiler: Compiler
  let resources: Resource[]
  beforeAll(async () => {
    compiler = startCompiler(bicep ?? '')
    resources = (await deployedBy(compiler, 'test/bicep/variants/with-index.bicepparam')).resources
  }, 120_000)
  afterAll(() => compiler.close())

  it('brings a service, the way to it, the right to read it and what watches it', () => {
    const before = new Set(without.map(({ id }) => id))
    const added = resources.filter(({ id }) => !before.has(id)).map(({ type, id }) => `${type} ${named(id)}`)
    expect(added.sort()).toEqual([
      'Microsoft.Authorization/roleAssignments srch-taskforce',
      'Microsoft.Insights/diagnosticSettings srch-taskforce',
      'Microsoft.Insights/metricAlerts search-throttled',
      'Microsoft.Network/privateDnsZones privatelink.search.windows.net',
      'Microsoft.Network/privateDnsZones/virtualNetworkLinks privatelink.search.windows.net',
      'Microsoft.Network/privateEndpoints pe-search-searchService',
      'Microsoft.Network/privateEndpoints/privateDnsZoneGroups pe-search-searchService',
      'Microsoft.Search/searchServices srch-taskforce',
    ])
    const rights = givenIn(without)
    expect(givenIn(resources).filter((right) => !rights.includes(right))).toEqual([
      'app: searchIndexDataReader on searchServices/srch-taskforce',
    ])
  })

  it('brings one that survives the loss of a zone, and that nobody asks by a key or from outside', () => {
    const [service] = ofType(resources, SEARCH)
    expect(service).toMatchObject({
      sku: { name: 'standard' },
      tags: { 'azd-env-name': 'production' },
      properties: { replicaCount: 3, disableLocalAuth: true, publicNetworkAccess: 'Disabled' },
    })
    // Beside disableLocalAuth Azure refuses it.
    expect(service?.properties).not.toHaveProperty('authOptions')
    const alert = ofType(resources, 'Microsoft.Insights/metricAlerts').find(({ name }) => name.includes('search'))
    expect(alert?.properties).toMatchObject({
      enabled: true,
      scopes: [service?.id],
      criteria: { allOf: [{ metricName: 'ThrottledSearchQueriesPercentage', operator: 'GreaterThan', threshold: 5 }] },
    })
  })

  it('is what the app reads, at that service', () => {
    const settings = settingsIn(resources, 'app')
    expect(settings['AZURE_SEARCH_INDEX']).toBe('documents')
    expect(settings['AZURE_SEARCH_ENDPOINT']).toContain(ofType(resources, SEARCH)[0]?.name)
    expect(loadConfig({ ...resolved(settings), WEBSITE_SITE_NAME: 'func' })).toMatchObject({
      ok: true,
      config: { search: { index: 'documents' }, warnings: [] },
    })
  })

  it('brings the smallest service to an environment that may be down', async () => {
    const dev = (await deployedBy(compiler, 'test/bicep/variants/dev-with-index.bicepparam')).resources
    expect(ofType(dev, SEARCH)).toEqual([
      expect.objectContaining({
        sku: { name: 'basic' },
        properties: expect.objectContaining({ replicaCount: 1, disableLocalAuth: true }) as unknown,
      }),
    ])
  })

  it("is asked for where somebody else's service is named, before anything is made", async () => {
    const refused = deployedBy(compiler, 'test/bicep/variants/search-elsewhere-without-index.bicepparam')
    await expect(refused).rejects.toThrow(/existing\.search would be read by nobody: give searchIndex/)
  })
})

/** What of an id is the name of the search service, its zone, its endpoint or its alert. */
function named(id: string): string | undefined {
  return /search-throttled|pe-search-searchService|privatelink\.search\.windows\.net|srch-taskforce/.exec(id)?.[0]
}
