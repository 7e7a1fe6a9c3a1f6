// The parameters of azd, which reads this file alone. TASKFORCE_ENVIRONMENT picks the shape: azd env set TASKFORCE_ENVIRONMENT staging
using 'main.bicep'
extends 'shared.bicepparam'

import { environments } from 'environments.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'dev')

param shape = environments[readEnvironmentVariable('TASKFORCE_ENVIRONMENT', 'dev')]
