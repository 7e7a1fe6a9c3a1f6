import { Tags } from 'types.bicep'

@description('Where.')
param location string

@description('Tags.')
param tags Tags

@description('Name.')
param name string

@description('Resource id of the subnet.')
param subnetId string

@description('Resource id of what it stands in front of.')
param targetId string

@description('Which part of it.')
param groupId string

@description('Private DNS zones that get its address.')
param zoneNames string[]

@description('Resource id of the zones\' resource group, perhaps another subscription\'s.')
param zonesGroupId string

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' existing = [
  for zone in zoneNames: {
    name: zone
    scope: resourceGroup(split(zonesGroupId, '/')[2], split(zonesGroupId, '/')[4])
  }
]

resource endpoint 'Microsoft.Network/privateEndpoints@2025-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    subnet: { id: subnetId }
    customNetworkInterfaceName: '${name}-nic'
    privateLinkServiceConnections: [
      { name: groupId, properties: { privateLinkServiceId: targetId, groupIds: [groupId] } }
    ]
  }

  resource dns 'privateDnsZoneGroups' = {
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [
        for (zone, index) in zoneNames: {
          name: replace(zone, '.', '-')
          properties: { privateDnsZoneId: zones[index].id }
        }
      ]
    }
  }
}
