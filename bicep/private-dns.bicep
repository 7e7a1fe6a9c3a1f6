import { Tags } from 'types.bicep'

@description('Tags.')
param tags Tags

@description('Names of the zones.')
param zoneNames string[]

@description('Resource id of the network that asks them.')
param networkId string

@description('Resource ids of further networks that do.')
param furtherNetworkIds string[]

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for name in zoneNames: {
    name: name
    location: 'global'
    tags: tags
  }
]

// Anything of these kinds that has a private endpoint elsewhere is looked up in these zones too, and is not in them: with the default
// its name would not resolve at all; so the internet's answer is asked for.
var unknownNames = 'NxDomainRedirect'

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (name, index) in zoneNames: {
    parent: zones[index]
    name: 'taskforce'
    location: 'global'
    tags: tags
    properties: {
      virtualNetwork: { id: networkId }
      registrationEnabled: false
      resolutionPolicy: unknownNames
    }
  }
]

var furtherCount = length(furtherNetworkIds)

// Named by the network: a link cannot be turned to another, and the order of the list is nobody's promise.
resource furtherLinks 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for index in range(0, length(zoneNames) * furtherCount): {
    parent: zones[index / furtherCount]
    name: 'further-${uniqueString(furtherNetworkIds[index % furtherCount])}'
    location: 'global'
    tags: tags
    properties: {
      virtualNetwork: { id: furtherNetworkIds[index % furtherCount] }
      registrationEnabled: false
      resolutionPolicy: unknownNames
    }
  }
]
