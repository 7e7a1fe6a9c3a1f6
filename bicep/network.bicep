import { ExtraSubnet, Tags } from 'types.bicep'

@description('Where.')
param location string

@description('Tags.')
param tags Tags

@description('End of the names.')
param suffix string

@description('Addresses of the network, /16 to /22.')
param addressPrefix string

@description('Further subnets.')
param extraSubnets ExtraSubnet[]

@description('Where diagnostics go.')
param workspaceId string

var functionsPrefix = cidrSubnet(addressPrefix, 24, 0)
var migratorPrefix = cidrSubnet(addressPrefix, 27, 8)

// Networks of apps take requests from nobody: the platform's front end is elsewhere.
resource appsGroup 'Microsoft.Network/networkSecurityGroups@2025-05-01' = {
  name: 'nsg-apps-${suffix}'
  location: location
  tags: tags
  properties: {
    securityRules: [
      {
        name: 'deny-internet-inbound'
        properties: {
          access: 'Deny'
          direction: 'Inbound'
          priority: 4096
          protocol: '*'
          sourceAddressPrefix: 'Internet'
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRange: '*'
        }
      }
    ]
  }
}

resource endpointsGroup 'Microsoft.Network/networkSecurityGroups@2025-05-01' = {
  name: 'nsg-endpoints-${suffix}'
  location: location
  tags: tags
  properties: {
    securityRules: [
      {
        name: 'allow-network-inbound'
        properties: {
          access: 'Allow'
          direction: 'Inbound'
          priority: 100
          protocol: 'Tcp'
          sourceAddressPrefix: 'VirtualNetwork'
          sourcePortRange: '*'
          destinationAddressPrefix: 'VirtualNetwork'
          destinationPortRanges: ['443', '5432', '6432']
        }
      }
      {
        name: 'deny-inbound'
        properties: {
          access: 'Deny'
          direction: 'Inbound'
          priority: 4096
          protocol: '*'
          sourceAddressPrefix: '*'
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRange: '*'
        }
      }
    ]
  }
}

// Machines that deploy: people reach them from our network and from those that are joined to it (Bastion, VPN), the apps do not.
resource deployersGroup 'Microsoft.Network/networkSecurityGroups@2025-05-01' = {
  name: 'nsg-deployers-${suffix}'
  location: location
  tags: tags
  properties: {
    securityRules: [
      {
        name: 'deny-apps-inbound'
        properties: {
          access: 'Deny'
          direction: 'Inbound'
          priority: 100
          protocol: '*'
          sourceAddressPrefixes: [functionsPrefix, migratorPrefix]
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRange: '*'
        }
      }
      {
        name: 'deny-internet-inbound'
        properties: {
          access: 'Deny'
          direction: 'Inbound'
          priority: 4096
          protocol: '*'
          sourceAddressPrefix: 'Internet'
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRange: '*'
        }
      }
    ]
  }
}

// The way out for agents that read websites: one fixed address, which others can put on a list.
resource outboundAddress 'Microsoft.Network/publicIPAddresses@2025-05-01' = {
  name: 'pip-outbound-${suffix}'
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: { publicIPAllocationMethod: 'Static', publicIPAddressVersion: 'IPv4' }
}

resource nat 'Microsoft.Network/natGateways@2025-05-01' = {
  name: 'nat-taskforce-${suffix}'
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: { publicIpAddresses: [{ id: outboundAddress.id }], idleTimeoutInMinutes: 10 }
}

var ownSubnets = [
  {
    name: 'functions'
    properties: {
      addressPrefix: functionsPrefix
      defaultOutboundAccess: false
      delegations: [{ name: 'flex', properties: { serviceName: 'Microsoft.App/environments' } }]
      natGateway: { id: nat.id }
      networkSecurityGroup: { id: appsGroup.id }
    }
  }
  {
    name: 'migrator'
    properties: {
      addressPrefix: migratorPrefix
      defaultOutboundAccess: false
      delegations: [{ name: 'flex', properties: { serviceName: 'Microsoft.App/environments' } }]
      natGateway: { id: nat.id }
      networkSecurityGroup: { id: appsGroup.id }
    }
  }
  {
    name: 'endpoints'
    properties: {
      addressPrefix: cidrSubnet(addressPrefix, 26, 5)
      defaultOutboundAccess: false
      networkSecurityGroup: { id: endpointsGroup.id }
      privateEndpointNetworkPolicies: 'NetworkSecurityGroupEnabled'
    }
  }
  {
    name: 'deployers'
    properties: {
      addressPrefix: cidrSubnet(addressPrefix, 26, 6)
      defaultOutboundAccess: false
      natGateway: { id: nat.id }
      networkSecurityGroup: { id: deployersGroup.id }
    }
  }
]

var furtherSubnets = [
  for one in extraSubnets: {
    name: one.name
    properties: {
      addressPrefix: one.addressPrefix
      delegations: one.?delegation == null ? [] : [{ name: 'service', properties: { serviceName: one.?delegation } }]
      natGateway: one.?nat ?? false ? { id: nat.id } : null
      networkSecurityGroup: one.?networkSecurityGroupId == null ? null : { id: one.?networkSecurityGroupId }
    }
  }
]

resource network 'Microsoft.Network/virtualNetworks@2025-05-01' = {
  name: 'vnet-taskforce-${suffix}'
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: [addressPrefix] }
    // All of them: a subnet that is not listed is removed by the next deployment, whoever has added it. extraSubnets is for those.
    subnets: concat(ownSubnets, furtherSubnets)
  }

  resource functions 'subnets' existing = { name: 'functions' }

  resource migrator 'subnets' existing = { name: 'migrator' }

  resource endpoints 'subnets' existing = { name: 'endpoints' }

  resource deployers 'subnets' existing = { name: 'deployers' }
}

resource networkDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: network
  name: 'to-workspace'
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

resource outboundDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: outboundAddress
  name: 'to-workspace'
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

resource appsGroupDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: appsGroup
  name: 'to-workspace'
  properties: { workspaceId: workspaceId, logs: [{ categoryGroup: 'allLogs', enabled: true }] }
}

resource endpointsGroupDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: endpointsGroup
  name: 'to-workspace'
  properties: { workspaceId: workspaceId, logs: [{ categoryGroup: 'allLogs', enabled: true }] }
}

resource deployersGroupDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: deployersGroup
  name: 'to-workspace'
  properties: { workspaceId: workspaceId, logs: [{ categoryGroup: 'allLogs', enabled: true }] }
}

@description('Resource id of the network.')
output id string = network.id

@description('Resource id of the subnet of the function app.')
output functionsSubnetId string = network::functions.id

@description('Resource id of the subnet of the migrator.')
output migratorSubnetId string = network::migrator.id

@description('Resource id of the subnet of private endpoints.')
output endpointsSubnetId string = network::endpoints.id

@description('Resource id of the subnet of machines that deploy.')
output deployersSubnetId string = network::deployers.id
