using '../../../bicep/main.bicep'
extends '../../../bicep/production.bicepparam'

param customDomain = 'api.example.com'
