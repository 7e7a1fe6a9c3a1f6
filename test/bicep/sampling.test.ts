import { globSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { z } from 'zod'

const { samplingSettings } = z
  .object({
    logging: z.object({
      applicationInsights: z.object({ samplingSettings: z.object({ excludedTypes: z.string() }) }),
    }),
  })
  .parse(JSON.parse(readFileSync('host.json', 'utf8'))).logging.applicationInsights

/** What Application Insights calls the rows of each of its tables. */
const TYPES: Record<string, string> = {
  requests: 'Request',
  exceptions: 'Exception',
  traces: 'Trace',
  dependencies: 'Dependency',
  customEvents: 'Event',
}

// Under load the host keeps a sample of what is not excluded: one line that says that a backup failed would be lost with the rest.
it('leaves out nothing that an alert asks for', () => {
  const text = globSync('bicep/*alerts.bicep').map((file) => readFileSync(file, 'utf8'))
  const queries = [...text.join('\n').matchAll(/^\s*query: '(\w+)/gm)]
  const tables = new Set(queries.map(([, table = '']) => table))
  expect(tables.size).toBeGreaterThan(2)
  const excluded = samplingSettings.excludedTypes.split(';')
  expect([...tables].filter((table) => !excluded.includes(TYPES[table] ?? table))).toEqual([])
})
