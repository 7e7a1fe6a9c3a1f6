using '../../../bicep/main.bicep'
extends '../../../bicep/production.bicepparam'

param existing = {
  logAnalyticsWorkspaceId: '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/logs/providers/Microsoft.OperationalInsights/workspaces/logs'
  openAi: { name: 'models', resourceGroup: 'ai' }
  search: { name: 'documents', resourceGroup: 'ai' }
}

param searchIndex = 'documents'
