using '../../../bicep/main.bicep'
extends '../../../bicep/production.bicepparam'

var network = '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/hub/providers/Microsoft.Network/virtualNetworks/hub'

param existing = {
  network: {
    id: network
    functionsSubnetId: '${network}/subnets/apps'
    migratorSubnetId: '${network}/subnets/migrations'
    endpointsSubnetId: '${network}/subnets/addresses'
    dnsResourceGroupId: '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/dns'
  }
}
