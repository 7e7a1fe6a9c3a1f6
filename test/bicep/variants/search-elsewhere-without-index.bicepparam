using '../../../bicep/main.bicep'
extends '../../../bicep/production.bicepparam'

param existing = { search: { name: 'documents', resourceGroup: 'ai' } }
