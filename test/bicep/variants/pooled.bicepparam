using '../../../bicep/main.bicep'
extends '../../../bicep/production.bicepparam'

param shape = union(base.shape, { postgres: { pooler: true } })
