import { Tags } from 'types.bicep'

@description('Where.')
param location string

@description('Tags.')
param tags Tags

@description('End of the names.')
param suffix string

@description('Resource id of the group that hears of it.')
param actionGroupId string

@description('Resource id of Application Insights.')
param insightsId string

// What has no metric: timers and queue functions say how they went in the log only.
var queries = [
  {
    name: 'sweep-missing'
    text: 'No sweep has ended well for 10 minutes: missions that wait for a time are not woken. Fires until the first package is published, too.'
    query: 'requests | where name == "sweep" and success == true'
    operator: 'LessThan'
    threshold: 1
    severity: 1
    frequency: 'PT5M'
    window: 'PT10M'
  }
  {
    name: 'postgres-unreachable'
    text: 'The app lost its connections to Postgres, or its sweeps fail.'
    query: 'traces | where message has "database.connection.failed" | union (requests | where name == "sweep" and success == false)'
    operator: 'GreaterThan'
    threshold: 2
    severity: 0
    frequency: 'PT5M'
    window: 'PT5M'
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
      actions: { actionGroups: [actionGroupId] }
    }
  }
]
