using '../../../bicep/main.bicep'
extends '../../../bicep/dev.bicepparam'

param shape = union(base.shape, { budget: 0 })
