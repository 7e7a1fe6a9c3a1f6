using '../../../bicep/main.bicep'
extends 'network-elsewhere.bicepparam'

param furtherNetworkIds = [
  '/subscriptions/00000000-0000-0000-0000-000000000004/resourceGroups/hub/providers/Microsoft.Network/virtualNetworks/hub'
]
