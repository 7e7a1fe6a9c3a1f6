using '../../../bicep/main.bicep'
extends '../../../bicep/dev.bicepparam'

param searchIndex = 'documents'
