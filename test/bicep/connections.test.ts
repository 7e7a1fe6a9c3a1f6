import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import { createDatabases } from '../../src/db/connection.ts'
import { ENVIRONMENTS, ofType, pinned, type Environment } from './environments.ts'

const text = readFileSync('bicep/connections.bicep', 'utf8')
const constant = (name: string) => Number(new RegExp(`var ${name} = (\\d+)`).exec(text)?.[1])
const sizes = new Map([...text.matchAll(/^ {2}(Standard_\w+): (\d+)$/gm)].map(([, name, most]) => [name, Number(most)]))

const databases = createDatabases({ url: 'postgres://localhost/x', pooler: undefined, onError: () => undefined })
afterAll(() => databases.close())

const functions = readdirSync('functions').map((name) => readFileSync(`functions/${name}`, 'utf8'))

describe('bicep/connections.bicep', () => {
  it('has the pools of src/db/connection.ts', () => {
    const [, api, engine] = /poolSizes = \{ api: (\d+), engine: (\d+) \}/.exec(text) ?? []
    expect({ api: databases.api.options.max, engine: databases.engine.options.max }).toEqual({
      api: Number(api),
      engine: Number(engine),
    })
  })

  it('has the timers and queue functions that there are, each a scale group', () => {
    const count = (call: string) => functions.filter((code) => code.includes(call)).length
    expect(count('app.timer(')).toBe(constant('timers'))
    expect(count('app.storageQueue(')).toBe(constant('queueFunctions'))
  })
})

it.each(ENVIRONMENTS)('%s has connections for as many instances as it may have', (environment) => {
  const { api, engine } = { api: databases.api.options.max, engine: databases.engine.options.max }
  const instances = instancesOf(environment)
  const http = instances * (api + engine)
  const queues = instances * engine * constant('queueFunctions')
  const timers = constant('timers') * (engine + constant('directConnectionsOfTimer'))
  const rest = constant('connectionsOfMigrator') + constant('reservedByAzure') + constant('reservedForPeople')
  const server = ofType(pinned(environment), 'Microsoft.DBforPostgreSQL/flexibleServers')[0]
  const most = sizes.get(server?.sku?.name ?? '') ?? 0
  expect(instances).toBeGreaterThan(0)
  expect(http + queues + timers + rest).toBeLessThanOrEqual(most)
})

it.each(ENVIRONMENTS)('%s has one request at a time in an instance of the migrator, as is counted', (environment) => {
  const migrator = ofType(pinned(environment), 'Microsoft.Web/sites').find(
    ({ tags }) => tags?.['azd-service-name'] === 'migrator',
  )
  expect(JSON.stringify(migrator?.properties)).toContain('"perInstanceConcurrency":1}')
})

function instancesOf(environment: Environment): number {
  const app = ofType(pinned(environment), 'Microsoft.Web/sites').find(
    ({ tags }) => tags?.['azd-service-name'] === 'api',
  )
  return Number(/"maximumInstanceCount":(\d+)/.exec(JSON.stringify(app?.properties))?.[1])
}
