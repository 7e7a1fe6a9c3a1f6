import { Tags } from 'types.bicep'

@description('Where.')
param location string

@description('Tags.')
param tags Tags

@description('End of the names.')
param suffix string

@description('Addresses of the network, /16 to /22.')
param addressPrefix string

@description('Where diagnostics go.')
param workspaceId string

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

resource network 'Microsoft.Network/virtualNetworks@2025-05-01' = {
  name: 'vnet-taskforce-${suffix}'
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: [addressPrefix] }
    subnets: [
      {
        name: 'functions'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 24, 0)
          defaultOutboundAccess: false
          delegations: [{ name: 'flex', properties: { serviceName: 'Microsoft.App/environments' } }]
          natGateway: { id: nat.id }
          networkSecurityGroup: { id: appsGroup.id }
        }
      }
      {
        name: 'migrator'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 27, 8)
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
    ]
  }

  resource functions 'subnets' existing = { name: 'functions' }

  resource migrator 'subnets' existing = { name: 'migrator' }

  resource endpoints 'subnets' existing = { name: 'endpoints' }
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

@description('Resource id of the network.')
output id string = network.id

@description('Resource id of the subnet of the function app.')
output functionsSubnetId string = network::functions.id

@description('Resource id of the subnet of the migrator.')
output migratorSubnetId string = network::migrator.id

@description('Resource id of the subnet of private endpoints.')
output endpointsSubnetId string = network::endpoints.id
