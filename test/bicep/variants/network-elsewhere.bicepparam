using '../../../bicep/main.bicep'
extends '../../../bicep/production.bicepparam'

param existing = {
  network: {
    id: '/subscriptions/00000000-0000-0000-0000-000000000004/resourceGroups/hub/providers/Microsoft.Network/virtualNetworks/hub'
    functionsSubnetId: '/subscriptions/00000000-0000-0000-0000-000000000004/resourceGroups/hub/providers/Microsoft.Network/virtualNetworks/hub/subnets/functions'
    migratorSubnetId: '/subscriptions/00000000-0000-0000-0000-000000000004/resourceGroups/hub/providers/Microsoft.Network/virtualNetworks/hub/subnets/migrator'
    endpointsSubnetId: '/subscriptions/00000000-0000-0000-0000-000000000004/resourceGroups/hub/providers/Microsoft.Network/virtualNetworks/hub/subnets/endpoints'
    dnsResourceGroupId: '/subscriptions/00000000-0000-0000-0000-000000000005/resourceGroups/names'
  }
}
