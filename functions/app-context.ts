import { hostname } from 'node:os'
import { v7 as uuidv7 } from 'uuid'
import type { ApiContext } from '../src/api/endpoints.ts'
import type { BackupContext } from '../src/backup/context.ts'
import { createBackupWatch } from '../src/backup/watch-backups.ts'
import type { Config, Problem, Secrets } from '../src/config/config.ts'
import { loadConfig } from '../src/config/load-config.ts'
import { createDatabases, type Databases } from '../src/db/connection.ts'
import { entraPassword } from '../src/db/entra-password.ts'
import { storeDeltas } from '../src/db/queries/deltas.ts'
import { connectEffects, createBlobEffects } from '../src/engine/blob-effects.ts'
import { connectQueue } from '../src/engine/connect-queue.ts'
import { Deltas } from '../src/engine/deltas.ts'
import { Engine } from '../src/engine/engine.ts'
import { createJournal } from '../src/engine/postgres-journal.ts'
import { createContents, createMissions } from '../src/engine/postgres-missions.ts'
import { createQueueWakes } from '../src/engine/queue-wakes.ts'
import type { Effects, Wakes } from '../src/engine/ports.ts'
import { sweep, SWEEP_LATE_SECONDS } from '../src/engine/sweep.ts'
import { systemClock } from '../src/engine/system-clock.ts'
import { readProfiles } from '../src/missions/read-profiles.ts'
import { Watchers } from '../src/missions/watchers.ts'
import { createModel } from '../src/models/create-model.ts'
import { createTelemetry, type Telemetry } from '../src/telemetry/events.ts'
import { createLogger } from '../src/telemetry/logger.ts'
import { createTools } from '../src/tools/registry.ts'
import { version } from '../src/version.ts'
import { createBackupContext } from './backup-context.ts'

/** One process's parts, wired together. Nothing here connects anywhere before it is used. */
export interface AppContext {
  config: Config
  databases: Databases
  wakes: Wakes
  telemetry: Telemetry
  engine: Engine
  backup: BackupContext
  api: ApiContext
  /** What is wrong with single profiles; the others work. */
  problems: Problem[]
  pingQueue(): Promise<void>
  pingBlobs(): Promise<void>
  watchBackups(): Promise<void>
}

export type AppResult = { ok: true; app: AppContext } | { ok: false; problems: Problem[]; telemetry: Telemetry }

let result: AppResult | undefined

/** Made on first use, since the app must load with no configuration at all; the same for the life of the process. */
export function appContext(): AppResult {
  return (result ??= createApp(process.env))
}

/** For triggers that nobody reads an answer of. Throws where the configuration is wrong. */
export function readyApp(): AppContext {
  const ready = appContext()
  if (!ready.ok) throw new Error('The service is not configured; see /health/ready')
  return ready.app
}

/** The context where it was made already; ending a process must not make one. */
export function currentApp(): AppContext | undefined {
  return result?.ok === true ? result.app : undefined
}

function createApp(env: NodeJS.ProcessEnv): AppResult {
  const loaded = loadConfig(env)
  if (!loaded.ok) {
    const telemetry = createTelemetry(createLogger({ level: 'info', secrets: [] }))
    telemetry.misconfigured(loaded.problems)
    return { ok: false, problems: loaded.problems, telemetry }
  }
  const { config, secrets } = loaded
  const known = Object.values(secrets).filter((secret) => secret !== undefined) as string[]
  const telemetry = createTelemetry(createLogger({ level: config.logLevel, secrets: known }))
  const tools = createTools({ search: config.search && { config: config.search, apiKey: secrets.searchApiKey } })
  const { byName: profiles, problems } = readProfiles(tools, config)
  const databases = createDatabases({
    url: secrets.databaseUrl,
    pooler: config.database.pooler,
    password: config.database.auth === 'entra' ? entraPassword : undefined,
    onError: (error) => telemetry.databaseError(error),
  })
  const connect = () => connectQueue(config.storage, secrets.storageConnectionString)
  const wakes = createQueueWakes(connect)
  const connectBlobs = () => connectEffects(config.storage, secrets.storageConnectionString)
  const effects = createBlobEffects(connectBlobs)
  const backup = createBackupContext(config, secrets, telemetry)
  const watchBackups = createBackupWatch({
    db: databases.engine,
    store: backup.main,
    telemetry,
    now: () => performance.now(),
  })
  const engine = createEngine({ config, secrets, databases, wakes, effects, telemetry, tools, watchBackups })
  const missions = {
    databases,
    wakes,
    telemetry,
    tools,
    profiles,
    defaultProfile: config.defaultProfile,
    newId: () => uuidv7(),
  }
  const auth = { mode: config.auth, apiKey: secrets.apiKey }
  const api = { missions, watchers: new Watchers(databases.engine), engine, auth }
  telemetry.started(version, process.version)
  const pingQueue = async () => void (await (await connect()).getProperties())
  const pingBlobs = async () => void (await (await connectBlobs()).exists())
  const leftOut = [...config.warnings, ...problems]
  if (leftOut.length > 0) telemetry.misconfigured(leftOut)
  const pings = { pingQueue, pingBlobs, watchBackups }
  return { ok: true, app: { config, databases, wakes, telemetry, engine, backup, api, problems, ...pings } }
}

interface EngineParts {
  config: Config
  secrets: Secrets
  databases: Databases
  wakes: Wakes
  effects: Effects
  telemetry: Telemetry
  tools: ReturnType<typeof createTools>
  watchBackups(): Promise<void>
}

function createEngine(parts: EngineParts): Engine {
  const { config, secrets, databases, wakes, effects, telemetry, tools, watchBackups } = parts
  const instance = uuidv7()
  const db = databases.engine
  const { leaseSeconds, sliceMs, concurrency } = config.engine
  return new Engine({
    instance,
    wakes,
    clock: systemClock,
    tools,
    telemetry,
    defaultModel: config.model.name,
    journal: createJournal(db, systemClock),
    missions: createMissions(
      db,
      {
        id: instance,
        version,
        host: hostname(),
      },
      leaseSeconds,
    ),
    contents: createContents(db, systemClock),
    deltas: new Deltas((writes, removals) => storeDeltas(db, writes, removals), systemClock),
    effects,
    model: createModel(config.model, secrets),
    sweepIfLate: async () => {
      await sweep({ db, wakes, telemetry }, SWEEP_LATE_SECONDS)
      // Not waited for: a store that hangs must hold up no instance that ends.
      void watchBackups().catch((error: unknown) => telemetry.sweepFailed(error))
    },
    settings: {
      leaseMs: leaseSeconds * 1e3,
      sliceMs,
      concurrency,
    },
  })
}
