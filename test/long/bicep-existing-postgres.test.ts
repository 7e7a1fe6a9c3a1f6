import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bicep, startCompiler, type Compiler } from '../bicep/compiler.ts'
import { ofType, type Resource } from '../bicep/environments.ts'
import { deployedBy, type Deployed } from '../bicep/variants.ts'

const POSTGRES = 'Microsoft.DBforPostgreSQL/flexibleServers'
const idOf = (subscription: number, group: string, name: string) =>
  `/subscriptions/00000000-0000-0000-0000-00000000000${subscription}/resourceGroups/${group}/providers/${POSTGRES}/${name}`

/** One that Azure has restored; the one of `variants/postgres-by-id.bicepparam` is OTHERS. */
const RESTORED = idOf(1, 'rescue', 'restored')
const OTHERS = idOf(3, 'data', 'others')

const unlessMissing = bicep === undefined ? describe.skip : describe

unlessMissing('a Postgres that is there already', { timeout: 120_000 }, () => {
  let byParameter: Compiler
  let byShell: Compiler
  let byId: Deployed
  beforeAll(async () => {
    byParameter = startCompiler(bicep ?? '')
    byShell = startCompiler(bicep ?? '', { POSTGRES_SERVER_ID: RESTORED, ALLOWED_ADDRESSES: '192.0.2.1' })
    byId = await deployedBy(byParameter, 'test/bicep/variants/postgres-by-id.bicepparam')
  }, 120_000)
  afterAll(() => {
    byParameter.close()
    byShell.close()
  })

  it('takes the place of our own, and has the migrator as its administrator', () => {
    const { resources, outputs } = byId
    expect(below(resources).map(({ type }) => type)).toEqual([`${POSTGRES}/administrators`])
    expect(below(resources)[0]).toMatchObject({
      id: expect.stringContaining("'00000000-0000-0000-0000-000000000003', 'data'") as unknown,
      properties: { principalName: 'id-taskforce-production-migrator', principalType: 'ServicePrincipal' },
    })
    expect(outputs['POSTGRES_HOST']).toContain(`reference('${OTHERS}'`)
    const settings = ofType(resources, 'Microsoft.Web/sites/config').map(({ properties }) => properties['DATABASE_URL'])
    expect(settings).toHaveLength(2)
    for (const url of settings) expect(url).toContain(`reference('${OTHERS}'`)
  })

  it('is reached by an endpoint of its own name, and watched', () => {
    const { resources } = byId
    const endpoints = ofType(resources, 'Microsoft.Network/privateEndpoints').filter(({ name }) =>
      name.includes('postgres'),
    )
    expect(endpoints.map(({ name }) => name)).toEqual([expect.stringMatching(/^pe-pg-\w{6}-postgresqlServer-/)])
    expect(JSON.stringify(endpoints[0]?.properties)).toContain(`"privateLinkServiceId":"${OTHERS}"`)
    const watched = ofType(resources, 'Microsoft.Insights/metricAlerts').filter(({ name }) => name.includes('postgres'))
    expect(watched).toHaveLength(4)
    for (const { properties } of watched) expect(properties['scopes']).toEqual([OTHERS])
  })

  it('is named by the shell before anything else, and opened like our own in dev', async () => {
    const [dev, production] = await Promise.all([
      deployedBy(byShell, 'bicep/dev.bicepparam'),
      deployedBy(byShell, 'test/bicep/variants/postgres-by-id.bicepparam'),
    ])
    expect(JSON.stringify(production)).toContain(RESTORED)
    expect(JSON.stringify(production)).not.toContain(OTHERS)
    const openings = ofType(dev.resources, `${POSTGRES}/firewallRules`)
    expect(
      openings.map(({ id, properties }) => [id, properties['startIpAddress'], properties['endIpAddress']]),
    ).toEqual([
      [`${RESTORED}/firewallRules/azure-services`, '0.0.0.0', '0.0.0.0'],
      [`${RESTORED}/firewallRules/taskforce-192-0-2-1`, '192.0.2.1', '192.0.2.1'],
    ])
    expect(ofType(dev.resources, 'Microsoft.Network/privateEndpoints')).toEqual([])
  })

  it('is only asked where it is elsewhere', async () => {
    const { resources } = await deployedBy(byParameter, 'test/bicep/variants/postgres-elsewhere.bicepparam')
    expect(below(resources)).toEqual([])
    const named = resources.filter(
      ({ type, name }) => /privateEndpoints$|metricAlerts$/.test(type) && /postgres/.test(name),
    )
    expect(named).toEqual([])
    const [first] = ofType(resources, 'Microsoft.Web/sites/config')
    expect(first?.properties['DATABASE_URL']).toContain('@postgres.example.com:5432/taskforce')
  })

  it.each([
    ['postgres-by-id-too-small', /Standard_B1ms has 50 connections.*up to 448/],
    ['postgres-elsewhere-too-small', /postgres\.example\.com has 447 connections.*up to 448/],
    ['postgres-elsewhere-unknown', /postgresMaxConnections/],
    ['postgres-by-no-id', /not the resource id of a Postgres Flexible Server/],
  ])('is refused before anything is made: %s', async (name, why) => {
    await expect(deployedBy(byParameter, `test/bicep/variants/${name}.bicepparam`)).rejects.toThrow(why)
  })
})

/** Of the server and its parts. */
function below(resources: readonly Resource[]): Resource[] {
  return resources.filter(({ type }) => type.startsWith(POSTGRES))
}
