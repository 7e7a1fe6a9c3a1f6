import { ModelDeployment, Tags } from 'types.bicep'

@description('Where.')
param location string

@description('Tags.')
param tags Tags

@description('Name, and the custom subdomain, without which there are no tokens of Entra ID.')
param name string

@minLength(1)
@description('Models; the first is the one of profiles that name none.')
param modelDeployments ModelDeployment[]

@description('It was deleted, and is taken back.')
param recoverDeleted bool

@description('Reached through a private endpoint only.')
param privateNetwork bool

@description('Where diagnostics go.')
param workspaceId string

resource account 'Microsoft.CognitiveServices/accounts@2025-06-01' = {
  name: name
  location: location
  tags: tags
  kind: 'OpenAI'
  sku: { name: 'S0' }
  identity: { type: 'SystemAssigned' }
  properties: {
    customSubDomainName: name
    restore: recoverDeleted
    disableLocalAuth: true
    publicNetworkAccess: privateNetwork ? 'Disabled' : 'Enabled'
    networkAcls: { defaultAction: privateNetwork ? 'Deny' : 'Allow' }
  }
}

@batchSize(1)
resource deployments 'Microsoft.CognitiveServices/accounts/deployments@2025-06-01' = [
  for one in modelDeployments: {
    parent: account
    name: one.name
    sku: { name: one.sku, capacity: one.capacity }
    properties: {
      model: { format: 'OpenAI', name: one.model, version: one.version }
      versionUpgradeOption: 'NoAutoUpgrade'
      raiPolicyName: 'Microsoft.DefaultV2'
    }
  }
]

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: account
  name: 'to-workspace'
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

@description('Resource id.')
output id string = account.id

@description('Address.')
output endpoint string = account.properties.endpoint
