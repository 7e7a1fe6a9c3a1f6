import { ofType, type Resource } from './environments.ts'

/** The settings of one of the two apps. */
export function settingsIn(resources: readonly Resource[], app: 'app' | 'migrator'): Record<string, string> {
  const found = ofType(resources, 'Microsoft.Web/sites/config').find(
    ({ name }) => name.endsWith('/appsettings') && name.includes('-migrator-') === (app === 'migrator'),
  )
  if (found === undefined) throw new Error(`the ${app} has no settings`)
  return found.properties as Record<string, string>
}

/** As Azure would give them: expressions stand for what they end in. */
export function resolved(settings: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [name, value.startsWith('[') ? sample(name, value) : value]),
  )
}

function sample(name: string, expression: string): string {
  if (name.startsWith('DATABASE_')) {
    const port = /:(\d+)\//.exec(expression)?.[1]
    return `postgresql://id-app@psql.postgres.database.azure.com:${port}/taskforce`
  }
  if (name === 'APP_LOGIN_PRINCIPAL_ID') return '6c4dbf3c-1f5b-4d3f-9f61-3c1b6d6f6a01'
  if (/URL$|Uri$|ENDPOINT$/.test(name)) return 'https://name.example.com/'
  return 'x'.repeat(36)
}
