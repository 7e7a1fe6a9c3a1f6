import type { ConfigResult, Config, Problem, Secrets } from './config.ts'
import { PLATFORM_MARKS } from './raw-auth.ts'
import { settingsSchema, type Settings } from './settings.ts'

type Environment = Record<string, string | undefined>

/** Reads the environment; gives every problem at once, and throws nothing. An empty value counts as not set. */
export function loadConfig(env: Environment): ConfigResult {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''))
  const parsed = settingsSchema.safeParse(given)
  if (!parsed.success) {
    return {
      ok: false,
      problems: parsed.error.issues.map((issue) => problem(issue.path.join('.'), reasonOf(issue, given))),
    }
  }
  const problems = crossChecks(parsed.data, env)
  if (problems.length > 0) return { ok: false, problems }
  return { ok: true, config: toConfig(parsed.data), secrets: toSecrets(parsed.data) }
}

/** Says what is wrong without the value, which may be a secret. */
function reasonOf(issue: { path: PropertyKey[]; message: string }, given: Environment): string {
  return given[String(issue.path[0])] === undefined ? 'is not set, and has no default' : issue.message
}

function crossChecks(settings: Settings, env: Environment): Problem[] {
  const problems: Problem[] = []
  const platform = PLATFORM_MARKS.find((name) => env[name] !== undefined)
  if (settings.AUTH === 'off' && platform !== undefined) {
    problems.push(problem('AUTH', `"off" is for one machine only and is refused where ${platform} is set; use "keys"`))
  }
  if (settings.AUTH === 'keys' && settings.TASKFORCE_API_KEY === undefined) {
    problems.push(problem('TASKFORCE_API_KEY', 'is not set, and AUTH is "keys": nobody could sign in'))
  }
  if (settings.JOBS_STORAGE === undefined && settings.JOBS_STORAGE__queueServiceUri === undefined) {
    problems.push(problem('JOBS_STORAGE', 'is not set, and neither is JOBS_STORAGE__queueServiceUri'))
  }
  return problems
}

function problem(key: string, reason: string): Problem {
  return { file: 'environment', key, reason }
}

function toConfig(settings: Settings): Config {
  const { JOBS_STORAGE__queueServiceUri: queueServiceUri, JOBS_STORAGE__clientId: clientId } = settings
  return {
    database: { pooler: settings.DATABASE_POOLER, auth: settings.DATABASE_AUTH },
    storage:
      queueServiceUri === undefined ? { kind: 'connection-string' } : { kind: 'identity', queueServiceUri, clientId },
    model: {
      provider: settings.OPENAI_API_KEY === undefined && settings.OPENAI_BASE_URL === undefined ? 'none' : 'openai',
      name: settings.OPENAI_MODEL,
      baseUrl: settings.OPENAI_BASE_URL,
    },
    auth: settings.AUTH,
    defaultProfile: settings.PROFILE,
    logLevel: settings.LOG_LEVEL,
    engine: {
      sliceMs: settings.SLICE_SECONDS * 1000,
      concurrency: settings.MISSION_CONCURRENCY,
      leaseSeconds: settings.LEASE_SECONDS,
    },
  }
}

function toSecrets(settings: Settings): Secrets {
  return {
    databaseUrl: settings.DATABASE_URL,
    storageConnectionString: settings.JOBS_STORAGE,
    openAiApiKey: settings.OPENAI_API_KEY,
    apiKey: settings.TASKFORCE_API_KEY,
  }
}
