import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/load-config.ts'
import { settingsSchema } from '../../src/config/settings.ts'
import { ENVIRONMENTS, pinned, type Environment } from './environments.ts'
import { resolved, settingsIn } from './settings.ts'

/** Read by the Functions host and by Microsoft's libraries; both apps need all of them, but for the queue that the app alone listens to. */
const OF_THE_PLATFORM = {
  both: [
    'APPLICATIONINSIGHTS_AUTHENTICATION_STRING',
    'APPLICATIONINSIGHTS_CONNECTION_STRING',
    'AZURE_CLIENT_ID',
    'AzureWebJobsStorage__blobServiceUri',
    'AzureWebJobsStorage__clientId',
    'AzureWebJobsStorage__credential',
    'AzureWebJobsStorage__queueServiceUri',
    'AzureWebJobsStorage__tableServiceUri',
  ],
  app: ['JOBS_STORAGE__credential'],
  migrator: [],
}

const DEFAULT = "the code's default is meant; extraSettings changes it"
const IDENTITY = 'an identity signs in in its place'
const MIGRATOR = 'the app makes no logins; the migrator is given it'
const LOCAL = 'for one machine'

/** Settings that no environment is given, and why. */
const NOT_GIVEN: Record<string, string> = {
  APP_LOGIN_NAME: MIGRATOR,
  APP_LOGIN_PRINCIPAL_ID: MIGRATOR,
  APP_ROLE: 'the app is what it is by default; the migrator is given it',
  AZURE_OPENAI_API_KEY: IDENTITY,
  AZURE_OPENAI_API_VERSION: DEFAULT,
  AZURE_SEARCH_API_KEY: IDENTITY,
  AZURE_SEARCH_ENDPOINT: 'with searchIndex',
  AZURE_SEARCH_INDEX: 'with searchIndex',
  AZURE_SEARCH_KEY_FIELD: "the index's owner knows it: extraSettings",
  AZURE_SEARCH_SEMANTIC_CONFIGURATION: "the index's owner knows it: extraSettings",
  AZURE_SEARCH_VECTOR_FIELDS: "the index's owner knows it: extraSettings",
  BACKUP_FOLDER: LOCAL,
  BACKUP_OFFSITE_URL: 'with backupOffsiteUrl',
  BACKUP_RETENTION_DAYS: DEFAULT,
  BACKUP_SCHEDULE: DEFAULT,
  DATABASE_DIRECT_URL: 'with pooler: true',
  DATABASE_POOLER: 'with pooler: true',
  DRILL_SCHEDULE: DEFAULT,
  JOBS_STORAGE: IDENTITY,
  LEASE_SECONDS: DEFAULT,
  MISSION_CONCURRENCY: DEFAULT,
  MISSION_RETENTION_DAYS: DEFAULT,
  OPENAI_API_KEY: 'Azure OpenAI is asked',
  OPENAI_BASE_URL: 'Azure OpenAI is asked',
  OPENAI_MODEL: 'Azure OpenAI is asked',
  PROFILES_DIR: 'the package has the profiles',
  RETAIN_SCHEDULE: DEFAULT,
  SLICE_SECONDS: DEFAULT,
  SWEEP_SCHEDULE: DEFAULT,
}

const known = Object.keys(settingsSchema.shape)

const settingsOf = (environment: Environment, app: 'app' | 'migrator') => settingsIn(pinned(environment), app)

describe.each(ENVIRONMENTS)('%s', (environment) => {
  it.each(['app', 'migrator'] as const)(
    'gives the %s what the platform reads, and no setting that nobody does',
    (app) => {
      const unknown = Object.keys(settingsOf(environment, app)).filter((name) => !known.includes(name))
      expect(unknown.sort()).toEqual([...OF_THE_PLATFORM.both, ...OF_THE_PLATFORM[app]].sort())
    },
  )

  it.each([
    ['app', 'sthost'],
    ['migrator', 'stmig'],
  ] as const)(
    'has the %s sign in as itself to storage of its own, and to backups as the identity that is for them',
    (app, host) => {
      const settings = settingsOf(environment, app)
      const identities = Object.entries(settings).filter(([, value]) => value.includes('.clientId'))
      expect(Object.fromEntries(identities.map(([name, value]) => [name, clientIn(value)]))).toEqual({
        APPLICATIONINSIGHTS_AUTHENTICATION_STRING: `ClientId=${app};Authorization=AAD`,
        AZURE_CLIENT_ID: app,
        AzureWebJobsStorage__clientId: app,
        ...(app === 'app' ? { BACKUP_CLIENT_ID: 'backup', JOBS_STORAGE__clientId: 'app' } : {}),
      })
      const stores = Object.entries(settings).filter(([name]) => name.endsWith('ServiceUri'))
      expect(Object.fromEntries(stores.map(([name, value]) => [name, storeIn(value)]))).toEqual({
        AzureWebJobsStorage__blobServiceUri: `${host} blob`,
        AzureWebJobsStorage__queueServiceUri: `${host} queue`,
        AzureWebJobsStorage__tableServiceUri: `${host} table`,
        ...(app === 'app'
          ? { JOBS_STORAGE__blobServiceUri: 'stdata blob', JOBS_STORAGE__queueServiceUri: 'stdata queue' }
          : {}),
      })
      const credentials = Object.entries(settings).filter(([name]) => name.endsWith('__credential'))
      expect(new Set(credentials.map(([, value]) => value))).toEqual(new Set(['managedidentity']))
    },
  )

  it('gives the app each setting that it reads, or there is a reason why not', () => {
    const given = Object.keys(settingsOf(environment, 'app'))
    const optional = environment === 'dev' ? ['BACKUP_KEY_URL'] : []
    const missing = known.filter((name) => !given.includes(name) && NOT_GIVEN[name] === undefined)
    expect(missing).toEqual(optional)
    expect(Object.keys(NOT_GIVEN).filter((name) => given.includes(name) || !known.includes(name))).toEqual([])
  })

  it.each(['app', 'migrator'] as const)('gives the %s a configuration that it takes, on Azure', (app) => {
    const env = { ...resolved(settingsOf(environment, app)), WEBSITE_SITE_NAME: 'func' }
    const result = loadConfig(env)
    expect(result).toMatchObject({ ok: true, config: { database: { auth: 'entra' } } })
    if (app === 'migrator' || !result.ok) return
    expect(result.config).toMatchObject({
      auth: 'keys',
      defaultProfile: environment,
      model: { provider: 'azure-openai' },
      storage: { kind: 'identity' },
      warnings: [],
    })
  })

  it('signs in to Postgres as an identity, each app as its own, with the certificate looked at', () => {
    const urls = (['app', 'migrator'] as const).map((app) => settingsOf(environment, app)['DATABASE_URL'] ?? '')
    expect(urls[0]).toContain(`'id-taskforce-${environment}-app'`)
    expect(urls[1]).toContain(`'id-taskforce-${environment}-migrator'`)
    for (const url of urls) expect(url).toMatch(/sslmode=verify-full/)
  })

  it("tells the migrator which login to make: the app's identity, and no other", () => {
    const { APP_LOGIN_NAME = '', APP_LOGIN_PRINCIPAL_ID = '' } = settingsOf(environment, 'migrator')
    expect(APP_LOGIN_NAME).toBe(`id-taskforce-${environment}-app`)
    expect(APP_LOGIN_PRINCIPAL_ID).toMatch(
      new RegExp(`/id-taskforce-${environment}-app', '[^']+'\\)\\.principalId\\]$`),
    )
    const migrator = loadConfig(resolved(settingsOf(environment, 'migrator')))
    expect(migrator).toMatchObject({ ok: true, config: { appLogin: { name: APP_LOGIN_NAME } } })
  })

  it('takes the API key from the vault, and gives it to the app alone', () => {
    expect(settingsOf(environment, 'app')['TASKFORCE_API_KEY']).toMatch(/@Microsoft\.KeyVault\(SecretUri=/)
    expect(settingsOf(environment, 'migrator')).not.toHaveProperty('TASKFORCE_API_KEY')
  })

  it('has the app be the app, and the migrator the migrator', () => {
    expect(settingsOf(environment, 'app')).not.toHaveProperty('APP_ROLE')
    expect(settingsOf(environment, 'migrator')).toMatchObject({ APP_ROLE: 'migrator' })
  })

  it('names a profile that ships, and models that it has prices for', () => {
    const { PROFILE = '', AZURE_OPENAI_DEPLOYMENT = '' } = settingsOf(environment, 'app')
    expect(readFileSync(`profiles/${PROFILE}.yaml`, 'utf8')).toContain(`\n  ${AZURE_OPENAI_DEPLOYMENT}: {`)
  })

  it('has the containers and queues that the code names', () => {
    const names = pinned(environment)
      .filter(({ type, name }) => /containers$|queues$/.test(type) && name.startsWith('stdata'))
      .map(({ name }) => name.split('/').at(-1))
    expect(names.sort()).toEqual(['backups', 'deployments', 'effects', 'missions', 'missions-poison'])
    expect(settingsOf(environment, 'app')['BACKUP_CONTAINER']).toBe('backups')
  })
})

/** A text of a template with the client id of an identity in it, which is known to Azure alone, as the last part of the identity's name. */
function clientIn(text: string): string {
  const reference = /reference\('[^']+\/userAssignedIdentities\/id-taskforce-\w+-(\w+)', '[^']+'\)\.clientId/
  const [all = '', name = ''] = reference.exec(text) ?? []
  const [, format] = /^\[format\('([^']+)', /.exec(text) ?? []
  return format?.replace('{0}', name) ?? text.slice(1, -1).replace(all, name)
}

function storeIn(text: string): string {
  const address = /^\[reference\('[^']+\/storageAccounts\/([a-z]+?)[a-z0-9]{13}', '[^']+'\)\.primaryEndpoints\.(\w+)\]$/
  return address.exec(text)?.slice(1).join(' ') ?? text
}
