using '../../../bicep/main.bicep'
extends '../../../bicep/dev.bicepparam'

param environmentName = 'TRIAL'
