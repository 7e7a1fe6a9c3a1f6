import { join, resolve } from 'node:path'
import type { Config, Problem } from '../config/config.ts'
import { loadConfig } from '../config/load-config.ts'
import { isDiskFull } from '../db/pg-errors.ts'
import { readProfiles } from '../missions/read-profiles.ts'
import { createTools } from '../tools/registry.ts'
import { buildBundle } from './build/build-bundle.ts'
import { startDemoModel, type DemoModelServer } from './demo-model/start.ts'
import type { HostLog } from './host/protocol.ts'
import { startHost, type RunningHost } from './host/start-host.ts'
import { lockFolder, removeRunFile, writeRunFile, type RunFile } from './run-file.ts'
import { startServices, type Services } from './services.ts'
import { wakeUnfinished } from './wake-unfinished.ts'

export interface EnvironmentOptions {
  dataDir: string
  /** 0 takes a free one. */
  port: number
  /** One line for each thing that is up, or went wrong. */
  log(line: string): void
  /** What the app and its host write; left out: dropped. */
  appLog?: HostLog
  /** Settings of the user; those that belong to this environment (database, storage) are its own. */
  env?: NodeJS.ProcessEnv
}

export interface Environment {
  url: string
  run: RunFile
  host: RunningHost
  stop(): Promise<void>
}

const root = join(import.meta.dirname, '../..')

/**
 * Everything on this machine: Postgres, Azurite, a model, and the host with the bundle. Throws one sentence that says what
 * to do; whatever was started is stopped then.
 */
export async function startEnvironment(options: EnvironmentOptions): Promise<Environment> {
  const dataDir = resolve(options.dataDir)
  const stops: (() => unknown)[] = [lockFolder(dataDir)]
  const stop = async () => {
    for (const end of stops.splice(0).toReversed()) await end()
  }
  try {
    return await start({ ...options, dataDir }, stops, stop)
  } catch (error) {
    await stop()
    throw isFull(error)
      ? new Error(`The disk is full: make room for ${dataDir}, or give another folder with --data.`)
      : error
  }
}

/** Of a file of ours, of the bundler's, or of the database's. */
function isFull(error: unknown): boolean {
  if (isDiskFull(error) || (error as NodeJS.ErrnoException).code === 'ENOSPC') return true
  return /no space left on device/i.test((error as Error).message)
}

async function start(
  options: EnvironmentOptions,
  stops: (() => unknown)[],
  stop: () => Promise<void>,
): Promise<Environment> {
  const { dataDir, port, log, env = process.env } = options
  const { model } = checkSettings(env, log)
  const services = await startServices(dataDir, log)
  stops.push(() => services.stop())
  const demo = model.provider === 'none' ? await startModel(env, log) : undefined
  if (demo !== undefined) stops.push(() => demo.stop())
  const { entry } = await buildBundle(join(dataDir, 'app'))
  const host = await startHost({
    bundle: entry,
    hostJson: join(root, 'host.json'),
    port,
    env: appEnvironment({ env, dataDir, services, demo }),
    log: options.appLog ?? (() => undefined),
    timerStatusDir: join(dataDir, 'timers'),
    // A message that was in hand when everything was killed comes back after this time, not after Azure's ten minutes.
    queueInvisibilityMs: 60_000,
    // Missions are handed over at the end, and followers come back: nobody at a terminal should wait for either.
    drainMs: 500,
    onWorkerRestart: (reason) => log(`The worker was restarted: ${reason}`),
  })
  stops.push(() => host.stop())
  log(`Host on ${host.url}, ${host.functions.length} functions`)
  const unfinished = await wakeUnfinished(services.appUrl, services.storageConnectionString)
  if (unfinished > 0) log(`${unfinished} unfinished ${unfinished === 1 ? 'mission goes' : 'missions go'} on`)
  const run = describe(host, services, demo)
  writeRunFile(dataDir, run)
  stops.push(() => removeRunFile(dataDir))
  return { url: host.url, run, host, stop }
}

/**
 * What is wrong with the user's settings is said before anything starts, all of it at once. A profile that is wrong and an
 * optional part that is half configured are left out, like on Azure.
 */
function checkSettings(env: NodeJS.ProcessEnv, log: (line: string) => void): Config {
  const stand = { ownerUrl: '', appUrl: 'postgresql://127.0.0.1/taskforce', storageConnectionString: 'local' }
  const result = loadConfig(appEnvironment({ env, dataDir: '.', services: stand, demo: undefined }))
  if (!result.ok) throw new Error(['These settings are wrong:', ...result.problems.map(sentence)].join('\n  '))
  const { config } = result
  const { byName, problems } = readProfiles(createTools(), config)
  if (!byName.has(config.defaultProfile)) throw new Error(problems.map(sentence).join('\n'))
  for (const one of [...config.warnings, ...problems]) log(`Left out: ${sentence(one)}`)
  return config
}

function sentence({ file, key, reason }: Problem): string {
  return `${file}: ${key} ${reason}`
}

async function startModel(env: NodeJS.ProcessEnv, log: (line: string) => void): Promise<DemoModelServer> {
  const delayMs = Number(env['DEMO_DELAY_MS'] || 300)
  const demo = await startDemoModel({ delayMs: Number.isFinite(delayMs) ? delayMs : 300 })
  log(`Demo model on ${demo.url}: scripted answers; set OPENAI_API_KEY for a real model`)
  return demo
}

interface Parts {
  env: NodeJS.ProcessEnv
  dataDir: string
  services: Omit<Services, 'stop'>
  demo: DemoModelServer | undefined
}

/** `AUTH=off` is this environment's to give: it serves 127.0.0.1 only. A user's own key or mode wins. */
function appEnvironment({ env, dataDir, services, demo }: Parts) {
  const auth = env['TASKFORCE_API_KEY'] ? 'keys' : 'off'
  return {
    AUTH: auth,
    // Beside Azurite's own data, where commands look for them.
    BACKUP_FOLDER: join(dataDir, 'backups'),
    ...env,
    DATABASE_URL: services.appUrl,
    DATABASE_DIRECT_URL: undefined,
    DATABASE_POOLER: undefined,
    DATABASE_AUTH: undefined,
    AzureWebJobsStorage: services.storageConnectionString,
    JOBS_STORAGE: services.storageConnectionString,
    ...(demo === undefined ? {} : { OPENAI_API_KEY: 'demo', OPENAI_BASE_URL: demo.url, OPENAI_MODEL: 'demo' }),
  }
}

function describe(host: RunningHost, services: Services, demo: DemoModelServer | undefined): RunFile {
  return {
    event: 'ready',
    url: host.url,
    databaseUrl: services.ownerUrl,
    storageConnectionString: services.storageConnectionString,
    ...(demo === undefined ? {} : { demoModelUrl: demo.url }),
    pid: process.pid,
  }
}
