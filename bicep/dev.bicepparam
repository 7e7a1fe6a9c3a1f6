using 'main.bicep'
extends 'shared.bicepparam'

import { environments } from 'environments.bicep'

param environmentName = 'dev'

// To change one value: union(environments.dev, { postgres: { skuName: 'Standard_D8ds_v5' } }).
param shape = environments.dev
