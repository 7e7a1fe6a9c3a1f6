import { Tags } from 'types.bicep'

@description('Where.')
param location string

@description('Tags.')
param tags Tags

@description('End of the names.')
param suffix string

@description('Resource id of the group that hears of it.')
param actionGroupId string

@description('Resource id of the function app.')
param siteId string

@description('Resource id of Application Insights.')
param insightsId string

@description('Whether Postgres is known to Azure by an id; one elsewhere is watched by its owner.')
param watchPostgres bool

@description('Resource id of Postgres.')
param postgresId string

@description('Whether Azure OpenAI is our own.')
param watchOpenAi bool

@description('Resource id of Azure OpenAI.')
param openAiId string

@description('Whether Azure AI Search is there, and our own.')
param watchSearch bool

@description('Resource id of Azure AI Search.')
param searchId string

@description('Resource id of the vault.')
param vaultId string

@description('Connections to Postgres from which on it is an alert.')
param manyConnections int

module metricAlerts 'metric-alerts.bicep' = {
  params: {
    tags: tags
    suffix: suffix
    actionGroupId: actionGroupId
    siteId: siteId
    watchPostgres: watchPostgres
    postgresId: postgresId
    watchOpenAi: watchOpenAi
    openAiId: openAiId
    watchSearch: watchSearch
    searchId: searchId
    vaultId: vaultId
    manyConnections: manyConnections
  }
}

module logAlerts 'log-alerts.bicep' = {
  params: { location: location, tags: tags, suffix: suffix, actionGroupId: actionGroupId, insightsId: insightsId }
}

resource serviceHealth 'Microsoft.Insights/activityLogAlerts@2020-10-01' = {
  name: 'alert-service-health-${suffix}'
  location: 'global'
  tags: tags
  properties: {
    description: 'Azure says that one of its services has trouble.'
    enabled: true
    scopes: [subscription().id]
    condition: { allOf: [{ field: 'category', equals: 'ServiceHealth' }] }
    actions: { actionGroups: [{ actionGroupId: actionGroupId }] }
  }
}

resource anomalies 'Microsoft.AlertsManagement/smartDetectorAlertRules@2021-04-01' = {
  name: 'alert-failure-anomalies-${suffix}'
  location: 'global'
  tags: tags
  properties: {
    description: 'More failures than is usual.'
    state: 'Enabled'
    severity: 'Sev3'
    frequency: 'PT1M'
    detector: { id: 'FailureAnomaliesDetector' }
    scope: [insightsId]
    actionGroups: { groupIds: [actionGroupId] }
  }
}
