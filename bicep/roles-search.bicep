import { roleIds } from 'role-ids.bicep'
import { Identity } from 'types.bicep'

@description('Azure AI Search, perhaps another group\'s.')
param serviceName string

@description('The function app.')
param app Identity

@description('Object id of the group of people on call; empty: none, or what it has on our resource group is enough.')
param operatorGroupId string

resource service 'Microsoft.Search/searchServices@2025-05-01' existing = { name: serviceName }

resource appIndex 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: service
  name: guid(service.id, app.principalId, roleIds.searchIndexDataReader)
  properties: {
    principalId: app.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.searchIndexDataReader)
    description: 'Reads documents of the index, and changes none.'
  }
}

resource groupDocuments 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(operatorGroupId)) {
  scope: service
  name: guid(service.id, operatorGroupId, roleIds.monitoringReader)
  properties: {
    principalId: operatorGroupId
    principalType: 'Group'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.monitoringReader)
    description: 'Who is on call reads its metrics.'
  }
}

@description('Address.')
output endpoint string = service.properties.endpoint
