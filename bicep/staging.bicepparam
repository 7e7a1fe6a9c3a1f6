using 'main.bicep'
extends 'shared.bicepparam'

import { environments } from 'environments.bicep'

param environmentName = 'staging'

// To change one value: union(environments.staging, { postgres: { skuName: 'Standard_D8ds_v5' } }).
param shape = environments.staging
