export const GROUPS = [
  'Settings',
  'Node',
  'Database',
  'Storage',
  'Model',
  'Search',
  'Profiles',
  'Azure identity',
  'API',
] as const

export type Group = (typeof GROUPS)[number]

/** What was found out about one thing. `hint` says what to do: the exact command or setting. */
export interface Finding {
  name: string
  status: 'pass' | 'warn' | 'fail'
  detail: string
  hint?: string
}

export interface Check extends Finding {
  group: Group
}

/** Where a setting's value comes from. */
export type Source = 'environment' | 'local.settings.json' | 'npm start' | 'default'

/** One setting without its secrets: `value` where it can be shown, else `set`. */
export interface SettingLine {
  name: string
  value?: string
  set?: boolean
  /** Null where it is not set and has no default. */
  source: Source | null
  problem?: string
}

export interface Report {
  checks: Check[]
  settings: SettingLine[]
  /** No setting at all, and no local environment that runs. */
  nothingConfigured: boolean
}

export function pass(name: string, detail: string, hint?: string): Finding {
  return { name, status: 'pass', detail, ...(hint === undefined ? {} : { hint }) }
}

export function warn(name: string, detail: string, hint: string): Finding {
  return { name, status: 'warn', detail, hint }
}

export function fail(name: string, detail: string, hint: string): Finding {
  return { name, status: 'fail', detail, hint }
}

/** The value of `--json`. */
export function toJson({ checks, settings }: Report): object {
  return { ok: exitCode({ checks }) === 0, checks, settings }
}

/** 1 where something that is needed fails; warnings and missing optional things are no failure. */
export function exitCode({ checks }: Pick<Report, 'checks'>): 0 | 1 {
  return checks.some(({ status }) => status === 'fail') ? 1 : 0
}

/** The last sentence. */
export function verdict({ checks, nothingConfigured }: Pick<Report, 'checks' | 'nothingConfigured'>): string {
  const count = (status: Finding['status']) => checks.filter((check) => check.status === status).length
  const [problems, warnings] = [count('fail'), count('warn')]
  if (problems > 0) return `${problems} ${problems === 1 ? 'problem' : 'problems'}${aside(warnings)}.`
  if (!nothingConfigured) return `Everything needed is there${aside(warnings)}.`
  return 'Nothing is configured, and npm start and npm run mission need nothing: they bring a database, a queue and a demo model along.'
}

function aside(warnings: number): string {
  if (warnings === 0) return ''
  return ` (${warnings} ${warnings === 1 ? 'warning' : 'warnings'})`
}

/** What a deployment would need, where nothing is configured; the last words of `npm run doctor` on a new machine. */
export const DEPLOYMENT: readonly (readonly [setting: string, what: string])[] = [
  ['DATABASE_URL', 'Postgres 15 to 18; npm run migrate -- up makes the schema'],
  ['JOBS_STORAGE', 'a storage connection string, or JOBS_STORAGE__queueServiceUri with a managed identity'],
  ['AzureWebJobsStorage', "the Functions host's own storage"],
  ['TASKFORCE_API_KEY', 'the key that clients send, such as the output of openssl rand -hex 24'],
  ['OPENAI_API_KEY', 'or OPENAI_BASE_URL, or AZURE_OPENAI_ENDPOINT and AZURE_OPENAI_DEPLOYMENT'],
]
