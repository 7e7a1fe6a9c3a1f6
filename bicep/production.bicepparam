using 'main.bicep'
extends 'shared.bicepparam'

import { environments } from 'environments.bicep'

// npm run deploy -- production --name NAME sets it: another environment of this shape, in a resource group of its own.
param environmentName = readEnvironmentVariable('TASKFORCE_ENVIRONMENT_NAME', 'production')

// To change one value: union(environments.production, { postgres: { skuName: 'Standard_D8ds_v5' } }).
param shape = environments.production
