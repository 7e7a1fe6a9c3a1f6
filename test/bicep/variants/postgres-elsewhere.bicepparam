using '../../../bicep/main.bicep'
extends '../../../bicep/production.bicepparam'

param existing = { postgresHost: 'postgres.example.com', postgresMaxConnections: 448 }
