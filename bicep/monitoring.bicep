import { Shape, Tags } from 'types.bicep'

@description('Where.')
param location string

@description('Tags.')
param tags Tags

@description('End of the names.')
param suffix string

@description('How long logs are kept, and how many.')
param logs Shape.logs

@description('Resource id of a workspace that is there already; empty: one is made.')
param existingWorkspaceId string

var ownWorkspace = empty(existingWorkspaceId)

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' = if (ownWorkspace) {
  name: 'log-taskforce-${suffix}'
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: logs.retentionDays
    workspaceCapping: { dailyQuotaGb: logs.dailyQuotaGb }
    features: { disableLocalAuth: true, enableLogAccessUsingOnlyResourcePermissions: true }
    // Ingestion takes tokens of Entra ID only. A private link scope would change name resolution of the whole network.
    publicNetworkAccessForIngestion: 'Enabled'
    publicNetworkAccessForQuery: 'Enabled'
  }
}

resource workspaceDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (ownWorkspace) {
  scope: workspace
  name: 'to-workspace'
  properties: {
    workspaceId: workspace.id
    logs: [{ categoryGroup: 'audit', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

var usedWorkspaceId = ownWorkspace ? workspace.id : existingWorkspaceId

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: 'appi-taskforce-${suffix}'
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: usedWorkspaceId
    DisableLocalAuth: true
    IngestionMode: 'LogAnalytics'
    publicNetworkAccessForIngestion: 'Enabled'
    publicNetworkAccessForQuery: 'Enabled'
  }
}

@description('Resource id of the workspace.')
output workspaceId string = usedWorkspaceId

@description('Name of the Application Insights component.')
output insightsName string = insights.name

@description('Resource id of the Application Insights component.')
output insightsId string = insights.id

@description('Address and instrumentation key; no secret, since the component takes tokens of Entra ID only.')
output connectionString string = insights.properties.ConnectionString
