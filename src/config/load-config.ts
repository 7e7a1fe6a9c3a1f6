import type { ConfigResult, Config, ModelConfig, Problem, SearchConfig, Secrets, StorageConfig } from './config.ts'
import { isUnresolved, PLATFORM_MARKS } from './raw-auth.ts'
import { settingsSchema, type Settings } from './settings.ts'

type Environment = Record<string, string | undefined>

/**
 * Reads the environment; gives every problem at once, and throws nothing. An empty value counts as not set. Half of an
 * optional part is no problem but one of the configuration's warnings.
 */
export function loadConfig(env: Environment): ConfigResult {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''))
  const parsed = settingsSchema.safeParse(given)
  if (!parsed.success) {
    return {
      ok: false,
      problems: parsed.error.issues.map((issue) => problem(issue.path.join('.'), reasonOf(issue, given))),
    }
  }
  const problems = [...unresolved(parsed.data), ...crossChecks(parsed.data, env)]
  if (problems.length > 0) return { ok: false, problems }
  return { ok: true, config: toConfig(parsed.data), secrets: toSecrets(parsed.data) }
}

/** Says what is wrong without the value, which may be a secret. */
function reasonOf(issue: { path: PropertyKey[]; message: string }, given: Environment): string {
  return given[String(issue.path[0])] === undefined ? 'is not set, and has no default' : issue.message
}

/** Else the reference itself, which anybody can guess, would be taken for the secret. */
function unresolved(settings: Settings): Problem[] {
  const names = Object.entries(settings).filter(([, value]) => isUnresolved(value))
  return names.map(([name]) =>
    problem(
      name,
      'is a reference to a key vault that Azure did not resolve: is the secret there, and may the identity read it?',
    ),
  )
}

function crossChecks(settings: Settings, env: Environment): Problem[] {
  const problems: Problem[] = []
  // It has no queue, and no callers but those with a key of the platform.
  if (settings.APP_ROLE === 'migrator') return halfALogin(settings)
  const platform = PLATFORM_MARKS.find((name) => env[name] !== undefined)
  if (settings.AUTH === 'off' && platform !== undefined) {
    problems.push(problem('AUTH', `"off" is for one machine only and is refused where ${platform} is set; use "keys"`))
  }
  if (settings.BACKUP_FOLDER !== undefined && platform !== undefined) {
    problems.push(problem('BACKUP_FOLDER', `would go with the instance where ${platform} is set; use BACKUP_CONTAINER`))
  }
  if (settings.AUTH === 'keys' && settings.TASKFORCE_API_KEY === undefined) {
    problems.push(problem('TASKFORCE_API_KEY', 'is not set, and AUTH is "keys": nobody could sign in'))
  }
  if (settings.JOBS_STORAGE === undefined && settings.JOBS_STORAGE__queueServiceUri === undefined) {
    problems.push(problem('JOBS_STORAGE', 'is not set, and neither is JOBS_STORAGE__queueServiceUri'))
  }
  return problems
}

/** Whoever gave one meant a login: without the other the app could not sign in, and nobody would know why. */
function halfALogin({ APP_LOGIN_NAME: name, APP_LOGIN_PRINCIPAL_ID: id }: Settings): Problem[] {
  if (name === undefined && id !== undefined)
    return [problem('APP_LOGIN_NAME', 'is not set, and APP_LOGIN_PRINCIPAL_ID is: a login needs both')]
  if (name !== undefined && id === undefined)
    return [problem('APP_LOGIN_PRINCIPAL_ID', 'is not set, and APP_LOGIN_NAME is: a login needs both')]
  return []
}

/** Such settings were no harm before there was anything that reads them, so they must not take a deployment down. */
function halfConfigured(settings: Settings): Problem[] {
  const warnings: Problem[] = []
  const { AZURE_OPENAI_ENDPOINT: openai, AZURE_SEARCH_ENDPOINT: search } = settings
  if (settings.JOBS_STORAGE__queueServiceUri !== undefined && blobService(settings) === undefined) {
    warnings.push(problem('JOBS_STORAGE__blobServiceUri', 'is not set, so calls of tools that act once are not made'))
  }
  if (openai !== undefined && settings.AZURE_OPENAI_DEPLOYMENT === undefined) {
    warnings.push(problem('AZURE_OPENAI_DEPLOYMENT', 'is not set, so AZURE_OPENAI_ENDPOINT is not used'))
  }
  if (openai === undefined && settings.AZURE_OPENAI_API_KEY !== undefined) {
    warnings.push(problem('AZURE_OPENAI_ENDPOINT', 'is not set, so AZURE_OPENAI_API_KEY is not used'))
  }
  if (search !== undefined && settings.AZURE_SEARCH_INDEX === undefined) {
    warnings.push(problem('AZURE_SEARCH_INDEX', 'is not set, so AZURE_SEARCH_ENDPOINT is not used'))
  }
  if (search === undefined && settings.AZURE_SEARCH_API_KEY !== undefined) {
    warnings.push(problem('AZURE_SEARCH_ENDPOINT', 'is not set, so AZURE_SEARCH_API_KEY is not used'))
  }
  return warnings
}

function problem(key: string, reason: string): Problem {
  return { file: 'environment', key, reason }
}

function toConfig(settings: Settings): Config {
  return {
    database: { pooler: settings.DATABASE_POOLER, auth: settings.DATABASE_AUTH },
    storage: toStorage(settings),
    model: toModel(settings),
    search: toSearch(settings),
    auth: settings.AUTH,
    appLogin: toAppLogin(settings),
    defaultProfile: settings.PROFILE,
    profilesDir: settings.PROFILES_DIR,
    logLevel: settings.LOG_LEVEL,
    engine: {
      sliceMs: settings.SLICE_SECONDS * 1000,
      concurrency: settings.MISSION_CONCURRENCY,
      leaseSeconds: settings.LEASE_SECONDS,
    },
    backup: {
      container: settings.BACKUP_CONTAINER,
      clientId: settings.BACKUP_CLIENT_ID,
      folder: settings.BACKUP_FOLDER,
      retentionDays: settings.BACKUP_RETENTION_DAYS,
      offsite: settings.BACKUP_OFFSITE_URL !== undefined,
      keyUrl: settings.BACKUP_KEY_URL,
      missionDays: settings.MISSION_RETENTION_DAYS,
    },
    warnings: halfConfigured(settings),
  }
}

function toAppLogin({ APP_ROLE, APP_LOGIN_NAME: name, APP_LOGIN_PRINCIPAL_ID: id }: Settings): Config['appLogin'] {
  if (APP_ROLE !== 'migrator' || name === undefined || id === undefined) return undefined
  return { name, principalId: id }
}

function toStorage(settings: Settings): StorageConfig {
  const { JOBS_STORAGE__queueServiceUri: queueServiceUri, JOBS_STORAGE__clientId: clientId } = settings
  if (queueServiceUri === undefined) return { kind: 'connection-string' }
  return { kind: 'identity', queueServiceUri, blobServiceUri: blobService(settings), clientId }
}

/** Azure names both services of an account alike. */
function blobService(settings: Settings): string | undefined {
  const { JOBS_STORAGE__queueServiceUri: queue = '', JOBS_STORAGE__blobServiceUri: given } = settings
  const blob = queue.replace(/^(https?:\/\/[^./]+(?:\.z\d+)?)\.queue\./, '$1.blob.')
  return given ?? (blob === queue ? undefined : blob)
}

function toModel(settings: Settings): ModelConfig {
  const { AZURE_OPENAI_ENDPOINT: endpoint, AZURE_OPENAI_DEPLOYMENT: deployment } = settings
  if (endpoint !== undefined && deployment !== undefined) {
    return { provider: 'azure-openai', name: deployment, endpoint, apiVersion: settings.AZURE_OPENAI_API_VERSION }
  }
  const { OPENAI_MODEL: name, OPENAI_BASE_URL: baseUrl } = settings
  if (settings.OPENAI_API_KEY === undefined && baseUrl === undefined) return { provider: 'none', name }
  return { provider: 'openai', name, baseUrl }
}

function toSearch(settings: Settings): SearchConfig | undefined {
  const { AZURE_SEARCH_ENDPOINT: endpoint, AZURE_SEARCH_INDEX: index } = settings
  if (endpoint === undefined || index === undefined) return undefined
  const fields = settings.AZURE_SEARCH_VECTOR_FIELDS?.split(',').map((field) => field.trim()) ?? []
  const vectorFields = fields.filter((field) => field !== '')
  const { AZURE_SEARCH_KEY_FIELD: keyField, AZURE_SEARCH_SEMANTIC_CONFIGURATION: semanticConfiguration } = settings
  return { endpoint, index, keyField, vectorFields, semanticConfiguration }
}

function toSecrets(settings: Settings): Secrets {
  return {
    databaseUrl: settings.DATABASE_URL,
    databaseDirectUrl: settings.DATABASE_DIRECT_URL,
    offsiteUrl: settings.BACKUP_OFFSITE_URL,
    storageConnectionString: settings.JOBS_STORAGE,
    openAiApiKey: settings.OPENAI_API_KEY,
    azureOpenAiApiKey: settings.AZURE_OPENAI_API_KEY,
    searchApiKey: settings.AZURE_SEARCH_API_KEY,
    apiKey: settings.TASKFORCE_API_KEY,
  }
}
