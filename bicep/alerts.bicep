import { roleIds } from 'role-ids.bicep'
import { Tags } from 'types.bicep'

@description('Where.')
param location string

@description('Tags.')
param tags Tags

@description('End of the names.')
param suffix string

@description('Who gets mail, beside the owners of the subscription.')
param emails string[]

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

resource group 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-taskforce-${suffix}'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'taskforce'
    enabled: true
    #disable-next-line use-resource-id-functions // Azure takes the role's bare GUID here.
    armRoleReceivers: [{ name: 'owners', roleId: roleIds.owner, useCommonAlertSchema: true }]
    emailReceivers: [
      for (address, index) in emails: { name: 'mail-${index}', emailAddress: address, useCommonAlertSchema: true }
    ]
  }
}

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
      actions: [{ actionGroupId: group.id }]
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
      actions: [{ actionGroupId: group.id }]
    }
  }
]

// What has no metric: timers and queue functions say how they went in the log only.
var queries = [
  {
    name: 'sweep-missing'
    text: 'No sweep has ended well for 10 minutes: missions that wait for a time are not woken.'
    query: 'requests | where name == "sweep" and success == true'
    operator: 'LessThan'
    threshold: 1
    severity: 1
    frequency: 'PT5M'
    window: 'PT10M'
  }
  {
    name: 'poisoned'
    text: 'A wake failed five times. Its mission is safe, and something is wrong.'
    query: 'traces | where message has "queue.message.poisoned"'
    operator: 'GreaterThan'
    threshold: 0
    severity: 2
    frequency: 'PT5M'
    window: 'PT5M'
  }
  {
    name: 'backup'
    text: 'A backup, its drill, its copy or the retention failed, or the newest verified backup is too old.'
    query: 'traces | where message has_any ("backup.failed", "backup.unverified", "backup.overdue", "backup.drill.failed", "backup.offsite.failed", "backup.prune.failed", "retention.failed")'
    operator: 'GreaterThan'
    threshold: 0
    severity: 1
    frequency: 'PT15M'
    window: 'PT15M'
  }
  {
    name: 'failed-invocations'
    text: 'Functions fail.'
    query: 'requests | where success == false and name !in ("sweep")'
    operator: 'GreaterThan'
    threshold: 20
    severity: 2
    frequency: 'PT5M'
    window: 'PT15M'
  }
  {
    name: 'exceptions'
    text: 'Exceptions that nothing caught.'
    query: 'exceptions'
    operator: 'GreaterThan'
    threshold: 20
    severity: 2
    frequency: 'PT5M'
    window: 'PT15M'
  }
  {
    name: 'misconfigured'
    text: 'The app runs with a setting that is wrong.'
    query: 'traces | where message has "app.misconfigured"'
    operator: 'GreaterThan'
    threshold: 0
    severity: 2
    frequency: 'PT15M'
    window: 'PT15M'
  }
]

resource logAlerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for one in queries: {
    name: 'alert-${one.name}-${suffix}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: one.name
      description: one.text
      enabled: true
      severity: one.severity
      scopes: [insightsId]
      evaluationFrequency: one.frequency
      windowSize: one.window
      autoMitigate: true
      // A workspace without its first line doesn't know the tables yet.
      skipQueryValidation: true
      criteria: {
        allOf: [
          {
            query: one.query
            timeAggregation: 'Count'
            operator: one.operator
            threshold: one.threshold
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      actions: { actionGroups: [group.id] }
    }
  }
]

resource serviceHealth 'Microsoft.Insights/activityLogAlerts@2020-10-01' = {
  name: 'alert-service-health-${suffix}'
  location: 'global'
  tags: tags
  properties: {
    description: 'Azure says that one of its services has trouble.'
    enabled: true
    scopes: [subscription().id]
    condition: { allOf: [{ field: 'category', equals: 'ServiceHealth' }] }
    actions: { actionGroups: [{ actionGroupId: group.id }] }
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
    actionGroups: { groupIds: [group.id] }
  }
}
