using '../../../bicep/main.bicep'
extends '../../../bicep/production.bicepparam'

param furtherNetworkIds = [
  '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/hub/providers/Microsoft.Network/virtualNetworks/hub'
  '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/vpn/providers/Microsoft.Network/virtualNetworks/vpn'
]

param extraSubnets = [
  { name: 'GatewaySubnet', addressPrefix: '10.40.2.0/27' }
  {
    name: 'runners'
    addressPrefix: '10.40.3.0/24'
    nat: true
    delegation: 'GitHub.Network/networkSettings'
    networkSecurityGroupId: '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/ci/providers/Microsoft.Network/networkSecurityGroups/runners'
  }
]
