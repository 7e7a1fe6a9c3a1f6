import type { Config, Problem, Secrets } from '../../src/config/config.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import { foreignSettings, settingsSchema } from '../../src/config/settings.ts'
import { fail, pass, warn, type Finding, type SettingLine } from './report.ts'
import { findLookAlikes } from './look-alikes.ts'
import { showValue } from './show-value.ts'
import type { Surroundings, Value } from './surroundings.ts'

/** What a check looks at; a wrong setting of a part keeps its check from looking. */
export type Part = 'database' | 'storage' | 'model' | 'search'

export interface SettingsResult {
  lines: SettingLine[]
  findings: Finding[]
  config: Config
  secrets: Secrets
  /** The settings that keep a part from being looked at. */
  broken: ReadonlyMap<Part, string[]>
}

type Environment = Record<string, string>

const PARTS: readonly [Part, RegExp][] = [
  ['database', /^DATABASE_/],
  ['storage', /^JOBS_STORAGE/],
  ['model', /^(AZURE_)?OPENAI_/],
  ['search', /^AZURE_SEARCH_/],
]
/** In place of what is missing or wrong, so that everything else can be looked at; nothing connects to these. */
const STAND_INS = { DATABASE_URL: 'postgresql://127.0.0.1/taskforce', JOBS_STORAGE: 'none' }
const HINTS: Readonly<Record<string, string>> = {
  DATABASE_URL:
    'DATABASE_URL=postgresql://USER:PASSWORD@HOST:5432/taskforce, with special characters percent-encoded; or run npm start, which brings its own',
  JOBS_STORAGE: 'JOBS_STORAGE=CONNECTION-STRING of a storage account; or run npm start, which brings its own',
  TASKFORCE_API_KEY: 'TASKFORCE_API_KEY=$(openssl rand -hex 24); or AUTH=off, on one machine only',
}
const NAMES = [...Object.keys(settingsSchema.shape), ...foreignSettings]

/** Checks the settings as the app does, and finds out all that can be looked at in spite of wrong ones. */
export function readSettings({ values, bare, fileProblem }: Surroundings): SettingsResult {
  const env = Object.fromEntries([...values].map(([name, { value }]) => [name, value]))
  const { problems, config, secrets } = loadParts(bare ? { ...STAND_INS, ...env } : env)
  const broken = new Map<Part, string[]>()
  for (const { key } of problems) {
    const part = partOf(key)
    if (part !== undefined) broken.set(part, [...(broken.get(part) ?? []), key])
  }
  const lookAlikes = findLookAlikes(values.keys(), NAMES).map(({ name, meant }) =>
    warn(name, 'is no setting, so nothing reads it', `did you mean ${meant}?`),
  )
  const file = fileProblem === undefined ? [] : [warn('local.settings.json', fileProblem, 'correct it or remove it')]
  const wrong = problems.map(({ key, reason }) => fail(key, sentence(reason), hintOf(key, reason)))
  const { warnings } = config
  const halves = warnings.map(({ key, reason }) => warn(key, reason, hintOf(key, reason)))
  const findings = [...wrong, ...halves, ...file, ...lookAlikes]
  if (wrong.length + halves.length === 0) findings.unshift(pass('all settings', 'valid'))
  const told = [...problems, ...warnings]
  return { lines: NAMES.map((name) => lineOf(name, values.get(name), told)), findings, config, secrets, broken }
}

interface Loaded {
  problems: Problem[]
  config: Config
  secrets: Secrets
}

/** Loads again without what is wrong, until the rest is right; a wrong part goes as a whole, since its settings belong together. */
function loadParts(env: Environment): Loaded {
  const problems: Problem[] = []
  let rest = env
  // The schema is checked first and the settings against each other then: two rounds find all, the third is right.
  for (let round = 1; round <= 3; round++) {
    const result = loadConfig(rest)
    if (result.ok) return { problems, config: result.config, secrets: result.secrets }
    problems.push(...result.problems)
    rest = without(rest, result.problems)
  }
  throw new Error('the settings are wrong even without the wrong ones')
}

function without(env: Environment, problems: readonly Problem[]): Environment {
  const keys = problems.map(({ key }) => key)
  const parts = keys.map(partOf)
  const isRight = (name: string) =>
    !keys.includes(name) && (partOf(name) === undefined || !parts.includes(partOf(name)))
  const rest = Object.fromEntries(Object.entries(env).filter(([name]) => isRight(name)))
  const signIn = keys.includes('AUTH') || keys.includes('TASKFORCE_API_KEY')
  const key: Environment = signIn ? { AUTH: 'keys', TASKFORCE_API_KEY: 'x'.repeat(16) } : {}
  return {
    ...(parts.includes('storage') ? { JOBS_STORAGE: STAND_INS.JOBS_STORAGE } : {}),
    ...(parts.includes('database') ? { DATABASE_URL: STAND_INS.DATABASE_URL } : {}),
    ...rest,
    ...key,
  }
}

function partOf(name: string): Part | undefined {
  return PARTS.find(([, names]) => names.test(name))?.[0]
}

/** Some reasons are a noun, such as "a URL that …". */
function sentence(reason: string): string {
  return /^an? /.test(reason) ? `must be ${reason}` : reason
}

function hintOf(key: string, reason: string): string {
  const known = HINTS[key]
  if (known !== undefined) return known
  const description = settingsSchema.shape[key as keyof typeof settingsSchema.shape]?.description
  const verb = reason.startsWith('is not set') ? 'set' : 'correct'
  return description === undefined ? `${verb} ${key}` : `${verb} ${key}: ${description}`
}

function lineOf(name: string, found: Value | undefined, problems: readonly Problem[]): SettingLine {
  const reason = problems.find(({ key }) => key === name)?.reason
  const problem = reason === undefined ? {} : { problem: reason }
  if (found === undefined) {
    const value = defaultOf(name)
    return value === undefined
      ? { name, set: false, source: null, ...problem }
      : { name, value, source: 'default', ...problem }
  }
  // A wrong value may be a secret that was put in the wrong place.
  const value = reason === undefined ? showValue(name, found.value) : undefined
  return value === undefined
    ? { name, set: true, source: found.source, ...problem }
    : { name, value, source: found.source, ...problem }
}

function defaultOf(name: string): string | undefined {
  const parsed = settingsSchema.shape[name as keyof typeof settingsSchema.shape]?.safeParse(undefined)
  return parsed?.success && parsed.data !== undefined ? String(parsed.data) : undefined
}
