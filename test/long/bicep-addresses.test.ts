import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bicep, startCompiler, type Compiler } from '../bicep/compiler.ts'
import { ofType, type Resource } from '../bicep/environments.ts'
import { deployedBy } from '../bicep/variants.ts'

const POSTGRES = 'Microsoft.DBforPostgreSQL/flexibleServers'
const unlessMissing = bicep === undefined ? describe.skip : describe

unlessMissing('addresses that are let in', { timeout: 120_000 }, () => {
  let compiler: Compiler
  let dev: Resource[]
  beforeAll(async () => {
    compiler = startCompiler(bicep ?? '', {
      ALLOWED_ADDRESSES: '192.0.2.1, 198.51.100.0/24 ,203.0.113.9/32,203.0.113.20/31,',
      ALERT_EMAILS: 'a@example.com, b@example.com ',
    })
    dev = (await deployedBy(compiler, 'bicep/dev.bicepparam')).resources
  }, 120_000)
  afterAll(() => compiler.close())

  it('are rules of Postgres from end to end, each named by its address', () => {
    const rules = ofType(dev, `${POSTGRES}/firewallRules`).map(({ name, properties }) => [
      name.split('/')[1],
      properties['startIpAddress'],
      properties['endIpAddress'],
    ])
    expect(rules).toEqual([
      ['azure-services', '0.0.0.0', '0.0.0.0'],
      ['taskforce-192-0-2-1', '192.0.2.1', '192.0.2.1'],
      ['taskforce-198-51-100-0_24', '198.51.100.0', '198.51.100.255'],
      ['taskforce-203-0-113-9_32', '203.0.113.9', '203.0.113.9'],
      ['taskforce-203-0-113-20_31', '203.0.113.20', '203.0.113.21'],
    ])
  })

  it.each(['Microsoft.Storage/storageAccounts', 'Microsoft.KeyVault/vaults'])(
    'are no range of one or two for %s, which refuses such',
    (type) => {
      const found = ofType(dev, type)
      expect(found.length).toBeGreaterThan(0)
      for (const { properties } of found) {
        const { ipRules } = properties['networkAcls'] as { ipRules: { value: string }[] }
        expect(ipRules.map(({ value }) => value)).toEqual([
          '192.0.2.1',
          '198.51.100.0/24',
          '203.0.113.9',
          '203.0.113.20',
          '203.0.113.21',
        ])
      }
    },
  )

  it('are ranges for the apps', async () => {
    const { resources } = await deployedBy(compiler, 'bicep/production.bicepparam')
    for (const { properties } of ofType(resources, 'Microsoft.Web/sites')) {
      const { ipSecurityRestrictions } = properties['siteConfig'] as { ipSecurityRestrictions: { ipAddress: string }[] }
      expect(ipSecurityRestrictions.map(({ ipAddress }) => ipAddress)).toEqual([
        '192.0.2.1/32',
        '198.51.100.0/24',
        '203.0.113.9/32',
        '203.0.113.20/31',
      ])
    }
    expect(ofType(resources, `${POSTGRES}/firewallRules`)).toEqual([])
  })

  it('are lists by comma, with spaces or without', () => {
    const [group] = ofType(dev, 'Microsoft.Insights/actionGroups')
    const receivers = group?.properties['emailReceivers'] as { emailAddress: string }[]
    expect(receivers.map(({ emailAddress }) => emailAddress)).toEqual(['a@example.com', 'b@example.com'])
  })
})
