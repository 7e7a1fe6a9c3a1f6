using '../../../bicep/main.bicep'
extends 'postgres-by-id.bicepparam'

param shape = union(base.shape, { postgres: { skuName: 'Standard_B1ms' } })
