import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { PLATFORM_MARKS } from '../../src/config/raw-auth.ts'
import { readRunFile, type RunFile } from '../../src/local/run-file.ts'
import type { Source } from './report.ts'

export interface Value {
  value: string
  source: Source
}

/** What the app would see as its environment, and where each part of it comes from. */
export interface Surroundings {
  /** All that is set and not empty, also what is no setting of ours. */
  values: ReadonlyMap<string, Value>
  /** The local environment that runs. */
  run: RunFile | undefined
  /** Neither a database nor a queue is set, and nothing runs: `npm start` would bring both along. */
  bare: boolean
  /** Why local.settings.json could not be read. */
  fileProblem: string | undefined
}

export interface Places {
  env: Record<string, string | undefined>
  /** Where local.settings.json would be. */
  cwd: string
  dataDir: string
}

const SETTINGS_FILE = 'local.settings.json'
const settingsFileSchema = z.looseObject({
  IsEncrypted: z.boolean().default(false),
  Values: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
})

/** The environment wins over local.settings.json, and both over the local environment that runs. */
export function readSurroundings({ env, cwd, dataDir }: Places): Surroundings {
  const values = new Map<string, Value>()
  const add = (from: Record<string, string | undefined>, source: Source) => {
    for (const [name, value] of Object.entries(from)) {
      if (value !== undefined && value !== '' && !values.has(name)) values.set(name, { value, source })
    }
  }
  add(env, 'environment')
  const file = readSettingsFile(cwd)
  add(file.values, SETTINGS_FILE)
  const run = readRunFile(dataDir)
  const bare = run === undefined && ![DATABASE, STORAGE, PLATFORM].some((names) => isAnySet(values, names))
  if (run !== undefined)
    for (const [name, value] of fromRunning(run, values)) values.set(name, { value, source: 'npm start' })
  // What `npm start` sets, or would set.
  if ((run !== undefined || bare) && !values.has('TASKFORCE_API_KEY')) add({ AUTH: 'off' }, 'npm start')
  return { values, run, bare, fileProblem: file.problem }
}

const DATABASE = /^DATABASE_(URL|DIRECT_URL|POOLER|AUTH)$/
const STORAGE = /^JOBS_STORAGE(__\w+)?$/
const MODEL = /^OPENAI_(API_KEY|BASE_URL)$/
/** Neither is of use without the other. */
const AZURE_MODEL = ['AZURE_OPENAI_ENDPOINT', 'AZURE_OPENAI_DEPLOYMENT']
const PLATFORM = new RegExp(`^(${PLATFORM_MARKS.join('|')})$`)

function isAnySet(values: ReadonlyMap<string, Value>, names: RegExp): boolean {
  return [...values.keys()].some((name) => names.test(name))
}

/** Of each of database, storage and model all or nothing, so that no address meets another one's key. */
function fromRunning(run: RunFile, values: ReadonlyMap<string, Value>): [name: string, value: string][] {
  const { databaseUrl, storageConnectionString, demoModelUrl } = run
  const found: [string, string][] = []
  if (!isAnySet(values, DATABASE)) found.push(['DATABASE_URL', databaseUrl])
  if (!isAnySet(values, STORAGE)) found.push(['JOBS_STORAGE', storageConnectionString])
  const hasModel = isAnySet(values, MODEL) || AZURE_MODEL.every((name) => values.has(name))
  if (demoModelUrl !== undefined && !hasModel) {
    found.push(['OPENAI_API_KEY', 'demo'], ['OPENAI_BASE_URL', demoModelUrl], ['OPENAI_MODEL', 'demo'])
  }
  return found
}

function readSettingsFile(cwd: string): { values: Record<string, string>; problem?: string } {
  let text: string
  try {
    text = readFileSync(join(cwd, SETTINGS_FILE), 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'ENOENT' ? { values: {} } : { values: {}, problem: `can't be read (${code ?? 'unknown error'})` }
  }
  const parsed = settingsFileSchema.safeParse(tryJson(text))
  if (!parsed.success) return { values: {}, problem: 'is no JSON object with "Values" of texts' }
  if (parsed.data.IsEncrypted) return { values: {}, problem: 'is encrypted, and only func can read it' }
  const values = Object.entries(parsed.data.Values).map(([name, value]) => [name, String(value)] as const)
  return { values: Object.fromEntries(values) }
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
