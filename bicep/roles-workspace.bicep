import { roleIds } from 'role-ids.bicep'

@description('Log Analytics workspace, another group\'s.')
param workspaceName string

@description('Object id of the group of people on call.')
param operatorGroupId string

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = { name: workspaceName }

resource groupLogs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: workspace
  name: guid(workspace.id, operatorGroupId, roleIds.logAnalyticsReader)
  properties: {
    principalId: operatorGroupId
    principalType: 'Group'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.logAnalyticsReader)
    description: 'Who is on call reads the logs.'
  }
}
