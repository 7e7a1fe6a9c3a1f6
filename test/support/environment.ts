import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Pool } from 'pg'
import { afterAll } from 'vitest'
import { z } from 'zod'
import { startAzurite } from '../../src/local/azurite/start-azurite.ts'
import { buildBundle } from '../../src/local/build/build-bundle.ts'
import { startDemoModel } from '../../src/local/demo-model/start.ts'
import type { HostLogEntry } from '../../src/local/host/protocol.ts'
import { startHost } from '../../src/local/host/start-host.ts'
import { createTestDatabase, type TestDatabase } from './postgres.ts'

export type Settings = Record<string, string | undefined>

export interface TestApp {
  /** On the literal address: resolving `localhost` tries ::1 first. */
  url: string
  /** Everything that the app and its host wrote so far. */
  logs: HostLogEntry[]
  stop(): Promise<void>
}

export interface TestEnvironment extends TestApp {
  /** What the app connects with, to start another one on the same database. */
  settings: Settings
  /** Connections of the owner of the schema, who sees every row. */
  owner: Pool
  /** Rows of each table that a request may write to, and a digest of the missions: equal where nothing was changed. */
  snapshot(): Promise<Snapshot>
}

export interface Snapshot {
  missions: number
  events: number
  contents: number
  profiles: number
  keys: number
  digest: string
}

const hostJsonSchema = z.looseObject({
  extensions: z.looseObject({ queues: z.record(z.string(), z.union([z.string(), z.number()])) }),
})

const root = join(import.meta.dirname, '../..')

/** For apps that need no database and no queue: nothing listens on port 1. */
export const NOWHERE = {
  DATABASE_URL: 'postgresql://taskforce_app:taskforce@127.0.0.1:1/taskforce',
  JOBS_STORAGE:
    'DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=bm9uZQ==;QueueEndpoint=http://127.0.0.1:1/devstoreaccount1;',
} as const

/** The app under the local host: a database of its own on the run's Postgres, Azurite, the demo model without delay. */
export async function startTestEnvironment(
  settings: Settings = {},
  makeDatabase: () => Promise<Pick<TestDatabase, 'appUrl' | 'ownerUrl' | 'drop'>> = createTestDatabase,
): Promise<TestEnvironment> {
  const stops: (() => unknown)[] = []
  try {
    const folder = await temporaryFolder(stops)
    const [database, azurite, demo, built] = await Promise.all([
      makeDatabase(),
      startAzurite({ dataDir: join(folder, 'azurite') }),
      startDemoModel({ delayMs: 1 }),
      bundle(),
    ])
    stops.push(() => Promise.all([database.drop(), azurite.stop(), demo.stop()]))
    const owner = new Pool({ connectionString: database.ownerUrl, max: 2 })
    owner.on('error', () => undefined)
    stops.push(() => owner.end())
    const env = {
      DATABASE_URL: database.appUrl,
      JOBS_STORAGE: azurite.connectionString,
      OPENAI_API_KEY: 'demo',
      OPENAI_BASE_URL: demo.url,
      OPENAI_MODEL: 'demo',
      AUTH: 'off',
      ...settings,
    }
    const app = await host(folder, built, env)
    stops.push(() => app.stop())
    return { ...app, settings: env, owner, snapshot: () => snapshot(owner), stop: () => unwind(stops) }
  } catch (error) {
    await unwind(stops)
    throw error
  }
}

/** The app alone, with these settings and no others. `edit` changes a copy of the built folder before it is loaded. */
export async function startTestApp(settings: Settings, edit?: (folder: string) => Promise<void>): Promise<TestApp> {
  const stops: (() => unknown)[] = []
  const folder = await temporaryFolder(stops)
  try {
    const own = join(folder, 'app')
    if (edit !== undefined) {
      await cp(await bundle(), own, { recursive: true })
      await edit(own)
    }
    const app = await host(folder, edit === undefined ? await bundle() : own, settings)
    stops.push(() => app.stop())
    return { ...app, stop: () => unwind(stops) }
  } catch (error) {
    await unwind(stops)
    throw error
  }
}

let built: Promise<string> | undefined

/** The folder with the bundle of the code as it is, built once for a test file. */
function bundle(): Promise<string> {
  return (built ??= mkdtemp(join(tmpdir(), 'taskforce-bundle-')).then(async (folder) => {
    await buildBundle(folder)
    return folder
  }))
}

// Hooks of this kind run in reverse order: the file that imports this one has stopped its apps by then.
afterAll(async () => {
  if (built !== undefined) await rm(await built, { recursive: true, force: true })
})

async function host(folder: string, app: string, settings: Settings): Promise<TestApp> {
  const logs: HostLogEntry[] = []
  const { PATH, HOME } = process.env
  const running = await startHost({
    bundle: join(app, 'index.cjs'),
    hostJson: await eagerHostJson(folder),
    port: 0,
    env: { PATH, HOME, ...settings },
    log: (entry) => logs.push(entry),
  })
  return { url: `http://127.0.0.1:${running.port}`, logs, stop: () => running.stop() }
}

/** The product's host.json, but an idle queue is looked at ten times a second in place of every 2 s. */
async function eagerHostJson(folder: string): Promise<string> {
  const settings = hostJsonSchema.parse(JSON.parse(await readFile(join(root, 'host.json'), 'utf8')))
  settings.extensions.queues['maxPollingInterval'] = '00:00:00.1'
  const path = join(folder, 'host.json')
  await writeFile(path, JSON.stringify(settings))
  return path
}

async function temporaryFolder(stops: (() => unknown)[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'taskforce-api-'))
  stops.push(() => rm(folder, { recursive: true, force: true }))
  return folder
}

async function unwind(stops: (() => unknown)[]): Promise<void> {
  for (const stop of stops.splice(0).toReversed()) await stop()
}

async function snapshot(owner: Pool): Promise<Snapshot> {
  const { rows } = await owner.query<Snapshot>(`
    select (select count(*)::int from taskforce.missions) as missions,
      (select count(*)::int from taskforce.events) as events,
      (select count(*)::int from taskforce.contents) as contents,
      (select count(*)::int from taskforce.profiles) as profiles,
      (select count(*)::int from taskforce.idempotency_keys) as keys,
      (select coalesce(md5(string_agg(m::text, ' ' order by id)), '') from taskforce.missions m) as digest`)
  const [row] = rows
  if (row === undefined) throw new Error('a select without from gives one row')
  return row
}
