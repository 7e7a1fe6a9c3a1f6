import { describe, expect, it } from 'vitest'
import { ofType, pinned, type Resource } from './environments.ts'

/** Each has to be able to fire: nothing is more than 100 percent, and no count is less than 0. Severity 0 is the gravest. */
const METRIC_ALERTS = {
  'http-5xx': 'severity 1: Total of Http5xx GreaterThan 10',
  'postgres-cpu': 'severity 2: Average of cpu_percent GreaterThan 85',
  'postgres-storage': 'severity 1: Average of storage_percent GreaterThan 80',
  // 70 percent of the 1,718 that Standard_D4ds_v5 has.
  'postgres-connections': 'severity 2: Average of active_connections GreaterThan 1202',
  'postgres-alive': 'severity 0: Average of is_db_alive LessThan 1',
  'model-throttled': 'severity 2: Total of AzureOpenAIRequests GreaterThan 50 where StatusCode Include 429',
  'vault-availability': 'severity 1: Average of Availability LessThan 99',
}

const LOG_ALERTS = {
  'sweep-missing': 'severity 1: Count LessThan 1 in PT10M, each PT5M',
  'postgres-unreachable': 'severity 0: Count GreaterThan 2 in PT5M, each PT5M',
  poisoned: 'severity 2: Count GreaterThan 0 in PT5M, each PT5M',
  backup: 'severity 1: Count GreaterThan 0 in PT15M, each PT15M',
  'failed-invocations': 'severity 2: Count GreaterThan 20 in PT15M, each PT5M',
  exceptions: 'severity 2: Count GreaterThan 20 in PT15M, each PT5M',
  misconfigured: 'severity 2: Count GreaterThan 0 in PT15M, each PT15M',
}

interface MetricCriterion {
  metricName: string
  operator: string
  threshold: number
  timeAggregation: string
  dimensions: { name: string; operator: string; values: string[] }[]
}

interface LogCriterion {
  operator: string
  threshold: number
  timeAggregation: string
  failingPeriods: unknown
}

describe('production', () => {
  const resources = pinned('production')
  const metricAlerts = ofType(resources, 'Microsoft.Insights/metricAlerts')
  const logAlerts = ofType(resources, 'Microsoft.Insights/scheduledQueryRules')

  it('has every alert on', () => {
    const alerts = [...metricAlerts, ...logAlerts, ...ofType(resources, 'Microsoft.Insights/activityLogAlerts')]
    expect(alerts.filter(({ properties }) => properties['enabled'] !== true).map(({ name }) => name)).toEqual([])
    const detectors = ofType(resources, 'microsoft.alertsManagement/smartDetectorAlertRules')
    expect(detectors.map(({ properties }) => properties['state'])).toEqual(['Enabled'])
  })

  it('is told of metrics from these values on, of five minutes', () => {
    const facts = metricAlerts.map(({ name, properties }) => {
      expect(properties).toMatchObject({ evaluationFrequency: 'PT1M', windowSize: 'PT5M', autoMitigate: true })
      const [{ timeAggregation, metricName, operator, threshold, dimensions }] = only<MetricCriterion>(properties)
      const where = dimensions.map((one) => ` where ${one.name} ${one.operator} ${one.values.join()}`).join('')
      const text = `${timeAggregation} of ${metricName} ${operator} ${threshold}${where}`
      return [shortly(name), `severity ${String(properties['severity'])}: ${text}`]
    })
    expect(Object.fromEntries(facts)).toEqual(METRIC_ALERTS)
  })

  it('is told of lines in the log from these numbers on, at the first time', () => {
    const facts = logAlerts.map(({ name, properties }) => {
      expect(properties).toMatchObject({ autoMitigate: true })
      const [{ timeAggregation, operator, threshold, failingPeriods }] = only<LogCriterion>(properties)
      expect(failingPeriods).toEqual({ numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 })
      const { severity, windowSize, evaluationFrequency } = properties as Record<string, string>
      const text = `${timeAggregation} ${operator} ${threshold} in ${windowSize}, each ${evaluationFrequency}`
      return [shortly(name), `severity ${severity}: ${text}`]
    })
    expect(Object.fromEntries(facts)).toEqual(LOG_ALERTS)
  })
})

/** The one criterion of an alert. */
function only<T>(properties: Resource['properties']): [T] {
  const { allOf } = properties['criteria'] as { allOf: T[] }
  expect(allOf).toHaveLength(1)
  return allOf as [T]
}

function shortly(name: string): string {
  return name.replace(/^alert-|-production-\w+$/g, '')
}
