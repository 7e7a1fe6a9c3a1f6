import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { startAzurite } from '../../src/local/azurite/start-azurite.ts'
import { buildBundle } from '../../src/local/build/build-bundle.ts'
import { startDemoModel } from '../../src/local/demo-model/start.ts'
import type { HostLogEntry } from '../../src/local/host/protocol.ts'
import { startHost } from '../../src/local/host/start-host.ts'
import { createTestDatabase } from './postgres.ts'

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
  /** A connection of the owner of the schema, who sees every row. */
  owner: Client
  /** How many rows each table has that a request may write to. */
  rows(): Promise<Record<string, number>>
}

const root = join(import.meta.dirname, '../..')
const DEMO_KEY = 'demo'

/** What a request may write to. */
const TABLES = ['missions', 'events', 'contents', 'profiles', 'idempotency_keys'] as const

/** A key where no database or queue is wanted: nothing listens on port 1 of any machine. */
export const NOWHERE = {
  DATABASE_URL: 'postgresql://taskforce_app:taskforce@127.0.0.1:1/taskforce',
  JOBS_STORAGE:
    'DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=bm9uZQ==;QueueEndpoint=http://127.0.0.1:1/devstoreaccount1;',
} as const

/** The app under the local host: a database of its own on the run's Postgres, Azurite, the demo model without delay. */
export async function startTestEnvironment(settings: Settings = {}): Promise<TestEnvironment> {
  const stops: (() => unknown)[] = []
  try {
    const folder = await temporaryFolder(stops)
    const [database, azurite, demo, bundle] = await Promise.all([
      createTestDatabase(),
      startAzurite({ dataDir: join(folder, 'azurite') }),
      startDemoModel({ delayMs: 1 }),
      buildBundle(join(folder, 'app')),
    ])
    stops.push(() => Promise.all([database.drop(), azurite.stop(), demo.stop()]))
    const owner = new Client({ connectionString: database.ownerUrl })
    await owner.connect()
    stops.push(() => owner.end())
    const env = {
      DATABASE_URL: database.appUrl,
      JOBS_STORAGE: azurite.connectionString,
      OPENAI_API_KEY: DEMO_KEY,
      OPENAI_BASE_URL: demo.url,
      OPENAI_MODEL: 'demo',
      AUTH: 'off',
      ...settings,
    }
    const app = await host(bundle.entry, env)
    stops.push(() => app.stop())
    return { ...app, settings: env, owner, rows: () => countRows(owner), stop: () => unwind(stops) }
  } catch (error) {
    await unwind(stops)
    throw error
  }
}

/** The app alone, with these settings and no others. `edit` changes the built folder before it is loaded. */
export async function startTestApp(settings: Settings, edit?: (folder: string) => Promise<void>): Promise<TestApp> {
  const stops: (() => unknown)[] = []
  const folder = await temporaryFolder(stops)
  try {
    const { entry } = await buildBundle(join(folder, 'app'))
    await edit?.(join(folder, 'app'))
    const app = await host(entry, settings)
    stops.push(() => app.stop())
    return { ...app, stop: () => unwind(stops) }
  } catch (error) {
    await unwind(stops)
    throw error
  }
}

async function host(bundle: string, settings: Settings): Promise<TestApp> {
  const logs: HostLogEntry[] = []
  const { PATH, HOME } = process.env
  const running = await startHost({
    bundle,
    hostJson: join(root, 'host.json'),
    port: 0,
    env: { PATH, HOME, ...settings },
    log: (entry) => logs.push(entry),
  })
  return { url: `http://127.0.0.1:${running.port}`, logs, stop: () => running.stop() }
}

async function temporaryFolder(stops: (() => unknown)[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'taskforce-api-'))
  stops.push(() => rm(folder, { recursive: true, force: true }))
  return folder
}

async function unwind(stops: (() => unknown)[]): Promise<void> {
  for (const stop of stops.splice(0).toReversed()) await stop()
}

async function countRows(owner: Client): Promise<Record<string, number>> {
  const counts: string[] = TABLES.map((table) => `(select count(*)::int from taskforce.${table}) as ${table}`)
  const { rows } = await owner.query<Record<string, number>>(`select ${counts.join(', ')}`)
  return rows[0] ?? {}
}
