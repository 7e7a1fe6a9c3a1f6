import { Tags } from 'types.bicep'

@description('Tags.')
param tags Tags

@description('End of the names.')
param suffix string

@description('Resource id of the group that hears of it.')
param actionGroupId string

@description('Resource id of the function app.')
param siteId string

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

var siteMetrics = [
  { name: 'http-5xx', id: siteId, metric: 'Http5xx', above: 10, aggregation: 'Total', severity: 1, dimensions: [] }
]
var postgresMetrics = [
  {
    name: 'postgres-cpu'
    id: postgresId
    metric: 'cpu_percent'
    above: 85
    aggregation: 'Average'
    severity: 2
    dimensions: []
  }
  {
    name: 'postgres-storage'
    id: postgresId
    metric: 'storage_percent'
    above: 80
    aggregation: 'Average'
    severity: 1
    dimensions: []
  }
  {
    name: 'postgres-connections'
    id: postgresId
    metric: 'active_connections'
    above: manyConnections
    aggregation: 'Average'
    severity: 2
    dimensions: []
  }
]
var openAiMetrics = [
  {
    name: 'model-throttled'
    id: openAiId
    metric: 'AzureOpenAIRequests'
    above: 50
    aggregation: 'Total'
    severity: 2
    dimensions: [{ name: 'StatusCode', operator: 'Include', values: ['429'] }]
  }
]
var searchMetrics = [
  {
    name: 'search-throttled'
    id: searchId
    metric: 'ThrottledSearchQueriesPercentage'
    above: 5
    aggregation: 'Average'
    severity: 2
    dimensions: []
  }
]

var risingMetrics = concat(
  siteMetrics,
  watchPostgres ? postgresMetrics : [],
  watchOpenAi ? openAiMetrics : [],
  watchSearch ? searchMetrics : []
)
// A server that is gone has no value, and no value is not below anything: postgres-unreachable of log-alerts.bicep is for that.
var fallingMetrics = concat(
  [{ name: 'vault-availability', id: vaultId, metric: 'Availability', below: 99, severity: 1 }],
  watchPostgres ? [{ name: 'postgres-alive', id: postgresId, metric: 'is_db_alive', below: 1, severity: 0 }] : []
)

resource rising 'Microsoft.Insights/metricAlerts@2018-03-01' = [
  for one in risingMetrics: {
    name: 'alert-${one.name}-${suffix}'
    location: 'global'
    tags: tags
    properties: {
      description: '${one.metric} is high.'
      enabled: true
      severity: one.severity
      scopes: [one.id]
      evaluationFrequency: 'PT1M'
      windowSize: 'PT5M'
      autoMitigate: true
      criteria: {
        'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
        allOf: [
          {
            name: one.name
            criterionType: 'StaticThresholdCriterion'
            metricName: one.metric
            operator: 'GreaterThan'
            threshold: one.above
            timeAggregation: one.aggregation
            dimensions: one.dimensions
          }
        ]
      }
      actions: [{ actionGroupId: actionGroupId }]
    }
  }
]

resource falling 'Microsoft.Insights/metricAlerts@2018-03-01' = [
  for one in fallingMetrics: {
    name: 'alert-${one.name}-${suffix}'
    location: 'global'
    tags: tags
    properties: {
      description: '${one.metric} is low.'
      enabled: true
      severity: one.severity
      scopes: [one.id]
      evaluationFrequency: 'PT1M'
      windowSize: 'PT5M'
      autoMitigate: true
      criteria: {
        'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
        allOf: [
          {
            name: one.name
            criterionType: 'StaticThresholdCriterion'
            metricName: one.metric
            operator: 'LessThan'
            threshold: one.below
            timeAggregation: 'Average'
            dimensions: []
          }
        ]
      }
      actions: [{ actionGroupId: actionGroupId }]
    }
  }
]
