using '../../../bicep/main.bicep'
extends '../../../bicep/production.bicepparam'

param searchIndex = 'documents'
