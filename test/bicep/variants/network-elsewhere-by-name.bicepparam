using '../../../bicep/main.bicep'
extends 'network-elsewhere.bicepparam'

param existing = union(base.existing, { network: { dnsResourceGroupId: 'names' } })
