using 'main.bicep'
extends 'shared.bicepparam'

import { environments } from 'environments.bicep'

param environmentName = 'production'

// To change one value: union(environments.production, { postgres: { skuName: 'Standard_D8ds_v5' } }).
param shape = environments.production
