using '../../../bicep/main.bicep'
extends 'postgres-by-id.bicepparam'

param environmentName = 'a23456789-123456789-1234'
