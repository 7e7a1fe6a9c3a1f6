import { Shape, Tags } from 'types.bicep'

@description('Where.')
param location string

@description('Tags.')
param tags Tags

@description('Name.')
param name string

@description('Size.')
param shape Shape.search

@description('Reached through a private endpoint only.')
param privateNetwork bool

@description('Where diagnostics go.')
param workspaceId string

resource service 'Microsoft.Search/searchServices@2025-05-01' = {
  name: name
  location: location
  tags: tags
  sku: { name: shape.sku }
  identity: { type: 'SystemAssigned' }
  properties: {
    replicaCount: shape.replicaCount
    partitionCount: 1
    hostingMode: 'Default'
    // With authOptions beside it Azure refuses the template.
    disableLocalAuth: true
    publicNetworkAccess: privateNetwork ? 'Disabled' : 'Enabled'
    semanticSearch: 'free'
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: service
  name: 'to-workspace'
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

@description('Resource id.')
output id string = service.id

@description('Address.')
output endpoint string = service.properties.endpoint
