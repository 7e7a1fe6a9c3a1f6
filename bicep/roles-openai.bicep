import { roleIds } from 'role-ids.bicep'
import { Identity } from 'types.bicep'

@description('Azure OpenAI, perhaps another group\'s.')
param accountName string

@description('The function app.')
param app Identity

@description('Object id of the group of people on call; empty: none, or what it has on our resource group is enough.')
param operatorGroupId string

resource account 'Microsoft.CognitiveServices/accounts@2025-06-01' existing = { name: accountName }

resource appModels 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: account
  name: guid(account.id, app.principalId, roleIds.openAiUser)
  properties: {
    principalId: app.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.openAiUser)
    description: 'Asks the language models.'
  }
}

resource groupModels 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(operatorGroupId)) {
  scope: account
  name: guid(account.id, operatorGroupId, roleIds.monitoringReader)
  properties: {
    principalId: operatorGroupId
    principalType: 'Group'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.monitoringReader)
    description: 'Who is on call reads its metrics.'
  }
}

@description('Address.')
output endpoint string = account.properties.endpoint
