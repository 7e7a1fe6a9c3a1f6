import { backupWorries } from '../backup/standing.ts'
import { inTime } from '../engine/in-time.ts'
import { readDrain, type Drain } from '../db/queries/drain.ts'
import { sweepAge } from '../db/queries/sweep.ts'
import { upkeepAges } from '../db/queries/upkeep.ts'
import { isConnectionError } from '../db/pg-errors.ts'
import { CODE_REVISION, readSchemaRevision, schemaFits } from '../db/schema-revision.ts'
import type { EngineDb } from '../db/connection.ts'
import type { Config, ModelConfig, Problem } from '../config/config.ts'

export type Check = { status: 'pass' | 'warn' | 'fail'; detail?: string; observed?: unknown }

export interface Readiness {
  status: 'ready' | 'degraded' | 'unavailable'
  database: 'connected' | 'unreachable' | 'wrong-revision'
  checks: Record<string, Check>
}

export interface ReadinessInputs {
  db: EngineDb | undefined
  config: Config | undefined
  problems: readonly Problem[]
  /** Throws where the queue can't be reached. */
  pingQueue: (() => Promise<void>) | undefined
  /** Throws where the storage of blobs can't be reached. */
  pingBlobs: (() => Promise<void>) | undefined
}

/** A sweep is due every minute; with two missed, timers have stopped. */
const SWEEP_LATE_MS = 150_000
const CHECK_MS = 4_000

/** Looks at everything that missions need. Only the database, its schema and the configuration make it `unavailable`. */
export async function checkReadiness(inputs: ReadinessInputs): Promise<Readiness> {
  const [schema, queue, blobs, sweep, backup] = await Promise.all([
    checkSchema(inputs.db),
    checkStorage(inputs.pingQueue, 'the queue', 'missions start with the next sweep'),
    checkStorage(inputs.pingBlobs, 'the blob storage', 'calls of tools that act once are not made'),
    checkSweep(inputs.db),
    checkBackup(inputs.db),
  ])
  const config = checkConfig(inputs.problems)
  const checks = {
    database: schema.database,
    schema: schema.schema,
    config,
    queue,
    blobs,
    model: checkModel(inputs.config),
    search: checkSearch(inputs.config),
    backup,
    sweep,
  }
  const vital = [checks.database, checks.schema, checks.config]
  const unavailable = vital.some(({ status }) => status === 'fail')
  const degraded = Object.values(checks).some(({ status }) => status !== 'pass')
  const status = unavailable ? 'unavailable' : degraded ? 'degraded' : 'ready'
  return { status, database: schema.word, checks }
}

async function checkSchema(
  db: EngineDb | undefined,
): Promise<{ database: Check; schema: Check; word: Readiness['database'] }> {
  const unknown: Check = { status: 'fail', detail: 'not known while the database is out of reach' }
  if (db === undefined) {
    return { database: { status: 'fail', detail: 'not configured' }, schema: unknown, word: 'unreachable' }
  }
  try {
    const found = await inTime(readSchemaRevision(db), CHECK_MS)
    const fits = found === undefined ? 'schema-too-old' : schemaFits(found, CODE_REVISION)
    if (fits === 'ok') return { database: pass(), schema: pass({ observed: found }), word: 'connected' }
    const detail =
      fits === 'schema-too-old'
        ? `the schema is at ${found?.revision ?? 'nothing'}, this code needs ${CODE_REVISION}: run "npm run migrate -- up"`
        : `the schema needs code of revision ${found?.minCode} or newer, this is ${CODE_REVISION}: deploy a newer build`
    return { database: pass(), schema: { status: 'fail', detail, observed: found }, word: 'wrong-revision' }
  } catch (error) {
    const why = isConnectionError(error) ? 'it does not answer' : reason(error)
    return { database: { status: 'fail', detail: `${why}; see DATABASE_URL` }, schema: unknown, word: 'unreachable' }
  }
}

function checkConfig(problems: readonly Problem[]): Check {
  if (problems.length === 0) return pass()
  return { status: 'fail', detail: problems.map(({ file, key, reason: why }) => `${file}: ${key} ${why}`).join('; ') }
}

async function checkStorage(ping: (() => Promise<void>) | undefined, what: string, so: string): Promise<Check> {
  if (ping === undefined) return { status: 'fail', detail: 'not configured' }
  try {
    await inTime(ping(), CHECK_MS)
    return pass()
  } catch (error) {
    return { status: 'warn', detail: `${what} does not answer (${reason(error)}); ${so}; see JOBS_STORAGE` }
  }
}

function checkModel(config: Config | undefined): Check {
  if (config === undefined) return { status: 'fail', detail: 'not configured' }
  const leftOut = leftOutOf(config, 'AZURE_OPENAI_')
  const { model } = config
  if (model.provider === 'none') {
    return { status: 'warn', detail: `no model: ${leftOut ?? 'set OPENAI_API_KEY or AZURE_OPENAI_ENDPOINT'}` }
  }
  const detail =
    model.name === 'demo'
      ? 'demo: scripted answers, no language model; set OPENAI_API_KEY for a real one'
      : `${model.name} at ${serverOf(model)} (configured; not called by this check)`
  return leftOut === undefined ? pass({ detail }) : { status: 'warn', detail: `${detail}; ${leftOut}` }
}

/** Off is fine: the tools that need it are then left out. */
function checkSearch(config: Config | undefined): Check {
  const leftOut = config && leftOutOf(config, 'AZURE_SEARCH_')
  if (leftOut !== undefined) return { status: 'warn', detail: `off: ${leftOut}` }
  const search = config?.search
  if (search === undefined) return pass({ detail: 'off: AZURE_SEARCH_ENDPOINT is not set' })
  return pass({ detail: `${search.index} at ${hostOf(search.endpoint)} (configured; not called by this check)` })
}

/** Why a part that is half configured is left out; undefined where none of these settings is missed. */
function leftOutOf({ warnings }: Config, prefix: string): string | undefined {
  const ofPart = warnings.filter(({ key }) => key.startsWith(prefix))
  return ofPart.length === 0 ? undefined : ofPart.map(({ key, reason: why }) => `${key} ${why}`).join('; ')
}

function serverOf(model: Exclude<ModelConfig, { provider: 'none' }>): string {
  const address = model.provider === 'azure-openai' ? model.endpoint : model.baseUrl
  return address === undefined ? 'OpenAI' : hostOf(address)
}

/** All of an address that is shown: its query may hold a signature. */
function hostOf(address: string): string {
  return URL.parse(address)?.host ?? 'an address that is no URL'
}

async function checkSweep(db: EngineDb | undefined): Promise<Check> {
  if (db === undefined) return { status: 'warn', detail: 'not known' }
  try {
    const [age, drain] = await inTime(Promise.all([sweepAge(db), readDrain(db)]), CHECK_MS)
    if (drain !== undefined) return draining(drain)
    if (age === undefined && process.uptime() * 1000 < SWEEP_LATE_MS)
      return pass({ detail: 'the first sweep is yet to come' })
    if (age === undefined) return { status: 'warn', detail: 'no sweep has run: timers may not work' }
    if (age <= SWEEP_LATE_MS) return pass({ observed: { ageMs: Math.round(age) } })
    return {
      status: 'warn',
      detail: 'the sweep is late: timers may have stopped',
      observed: { ageMs: Math.round(age) },
    }
  } catch {
    return { status: 'warn', detail: 'not known while the database is out of reach' }
  }
}

/** Its reason stays out: it is somebody's own words, and keys are not only the operator's. */
function draining({ by, until }: Drain): Check {
  const end = until === undefined ? 'until it is cleared' : `until ${until.toISOString()}`
  return { status: 'warn', detail: `drained by ${by} ${end}: nothing is claimed, and no new mission is taken` }
}

/** By what the upkeep has recorded: readiness is asked every few seconds, and lists no blobs. */
async function checkBackup(db: EngineDb | undefined): Promise<Check> {
  if (db === undefined) return { status: 'warn', detail: 'not known' }
  try {
    const ages = await inTime(upkeepAges(db), CHECK_MS)
    const worries = backupWorries(ages)
    const observed = Object.fromEntries(
      ages.runs.flatMap(({ kind, lastGoodMs }) =>
        kind === 'backup' || kind === 'drill' ? [[`${kind}AgeMs`, lastGoodMs && Math.round(lastGoodMs)]] : [],
      ),
    )
    return worries.length === 0 ? pass({ observed }) : { status: 'warn', detail: worries.join('; '), observed }
  } catch {
    return { status: 'warn', detail: 'not known while the database is out of reach' }
  }
}

function pass(more: Omit<Check, 'status'> = {}): Check {
  return { status: 'pass', ...more }
}

/** Messages of drivers can hold addresses and names, never secrets; they are shown to callers with a key only. */
function reason(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reason).join(', ')
  return error instanceof Error ? error.message : String(error)
}
