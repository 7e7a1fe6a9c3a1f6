import { describe, expect, it } from 'vitest'
import { ofType, pinned } from './environments.ts'

/** Rules of the groups in front of the subnets, by their priority. After them Azure's own let in the network and nobody else. */
const GROUPS = {
  apps: ['4096 Deny Inbound * from Internet:* to *:*'],
  endpoints: [
    '100 Allow Inbound Tcp from VirtualNetwork:* to VirtualNetwork:443,5432,6432',
    '4096 Deny Inbound * from *:* to *:*',
  ],
  deployers: [
    '100 Deny Inbound * from 10.40.0.0/24,10.40.1.0/27:* to *:*',
    '4096 Deny Inbound * from Internet:* to *:*',
  ],
}

/** Without policies of its own the subnet of endpoints would let a group do nothing. */
const SUBNETS = {
  functions: {
    group: 'apps',
    prefix: '10.40.0.0/24',
    nat: true,
    policies: undefined,
    delegatedTo: ['Microsoft.App/environments'],
  },
  migrator: {
    group: 'apps',
    prefix: '10.40.1.0/27',
    nat: true,
    policies: undefined,
    delegatedTo: ['Microsoft.App/environments'],
  },
  endpoints: {
    group: 'endpoints',
    prefix: '10.40.1.64/26',
    nat: false,
    policies: 'NetworkSecurityGroupEnabled',
    delegatedTo: [],
  },
  deployers: { group: 'deployers', prefix: '10.40.1.128/26', nat: true, policies: undefined, delegatedTo: [] },
}

describe.each(['staging', 'production'] as const)('the network of %s', (environment) => {
  const resources = pinned(environment)

  it('has groups of exactly these rules', () => {
    const groups = ofType(resources, 'Microsoft.Network/networkSecurityGroups').map(({ name, properties }) => [
      nameOfGroup(name),
      (properties['securityRules'] as Rule[]).sort((a, b) => a.properties.priority - b.properties.priority).map(toLine),
    ])
    expect(Object.fromEntries(groups)).toEqual(GROUPS)
  })

  it('has subnets behind them, and the one of endpoints heeds its group', () => {
    const subnets = ofType(resources, 'Microsoft.Network/virtualNetworks').flatMap(
      ({ properties }) => properties['subnets'] as Subnet[],
    )
    const facts = subnets.map(({ name, properties: { networkSecurityGroup, delegations, ...rest } }) => [
      name,
      {
        group: nameOfGroup(networkSecurityGroup.id),
        prefix: rest.addressPrefix,
        nat: rest.natGateway !== undefined,
        policies: rest.privateEndpointNetworkPolicies,
        delegatedTo: (delegations ?? []).map((one) => one.properties.serviceName),
      },
    ])
    expect(Object.fromEntries(facts)).toEqual(SUBNETS)
  })
})

it('dev has none', () => {
  expect(pinned('dev').filter(({ type }) => type.startsWith('Microsoft.Network/'))).toEqual([])
})

interface Subnet {
  name: string
  properties: {
    addressPrefix: string
    networkSecurityGroup: { id: string }
    natGateway?: unknown
    privateEndpointNetworkPolicies?: string
    delegations?: { properties: { serviceName: string } }[]
  }
}

interface Rule {
  properties: {
    priority: number
    access: string
    direction: string
    protocol: string
    sourceAddressPrefix?: string
    sourceAddressPrefixes?: string[]
    sourcePortRange: string
    destinationAddressPrefix: string
    destinationPortRange?: string
    destinationPortRanges?: string[]
  }
}

function toLine({ properties: rule }: Rule): string {
  const from = rule.sourceAddressPrefixes?.join() ?? rule.sourceAddressPrefix
  const ports = rule.destinationPortRanges?.join() ?? rule.destinationPortRange
  const to = `${rule.destinationAddressPrefix}:${ports}`
  return `${rule.priority} ${rule.access} ${rule.direction} ${rule.protocol} from ${from}:${rule.sourcePortRange} to ${to}`
}

function nameOfGroup(name: string): string | undefined {
  return /nsg-(\w+)-/.exec(name)?.[1]
}
