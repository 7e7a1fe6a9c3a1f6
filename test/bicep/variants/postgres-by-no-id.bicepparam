using '../../../bicep/main.bicep'
extends '../../../bicep/dev.bicepparam'

param postgresServerId = 'restored.postgres.database.azure.com'
