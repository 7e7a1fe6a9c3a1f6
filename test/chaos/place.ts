import { randomUUID } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BlobServiceClient } from '@azure/storage-blob'
import { Pool } from 'pg'
import { migrateUp } from '../../src/db/migrate/up.ts'
import { isConnectionError } from '../../src/db/pg-errors.ts'
import { createLogins } from '../../src/db/roles.ts'
import { startAzurite, type LocalAzurite } from '../../src/local/azurite/start-azurite.ts'
import { startPostgres, type LocalPostgres } from '../../src/local/postgres/start-postgres.ts'
import { DEFAULT_TENANT } from '../../src/missions/context.ts'
import { APP, OWNER, urlFor, withSuper } from '../support/global-setup.ts'
import { pause } from './clock.ts'

/** `crash`: immediate shutdown, no session ends properly. `kill`: SIGKILL of the postmaster. Both recover from the log. */
export type DatabaseEnd = 'crash' | 'kill'
/** `restart`: everything is written. `kill`: SIGKILL; queue messages and blobs of the last moment may be lost. */
export type StorageEnd = 'restart' | 'kill'

/** The servers of one run, with ways of breaking them. */
export interface Place {
  databasePort: number
  /** What the app connects as. */
  appUrl: string
  ownerUrl: string
  storage: string
  /** The last one is limited. */
  tenants: string[]
  /** As the owner, past all proxies; waits where the database is away. */
  sql<T extends object>(text: string, values?: unknown[]): Promise<T[]>
  breakDatabase(end: DatabaseEnd, awayMs: number): Promise<void>
  breakStorage(end: StorageEnd, awayMs: number): Promise<void>
  /** Resolves when every blob that the storage has been sent by now is in its files, however busy the machine is. */
  storageSaved(): Promise<void>
  stop(): Promise<void>
}

const DATABASE = 'taskforce_chaos'

/** One with twice the share, and one that may have no more than four missions on the move. */
const TENANTS = [
  { id: '00000000-0000-7000-8000-0000000000a1', name: 'heavy', weight: 2, maxRunning: null },
  { id: '00000000-0000-7000-8000-0000000000a3', name: 'third', weight: 1, maxRunning: null },
  { id: '00000000-0000-7000-8000-0000000000a2', name: 'limited', weight: 1, maxRunning: 4 },
]

export async function startPlace(folder: string): Promise<Place> {
  // A crash of the server loses nothing that was committed; a crash of the machine need not be outlived.
  const options = { dataDir: join(folder, 'postgres'), durable: false, settings: { synchronous_commit: 'on' } }
  const storageFolder = join(folder, 'azurite')
  await mkdir(storageFolder, { recursive: true })
  let postgres: LocalPostgres = await startPostgres(options)
  let azurite: LocalAzurite = await startAzurite({ dataDir: storageFolder })
  const { superUrl, port } = postgres
  const { connectionString, blobPort, queuePort } = azurite
  await withSuper(superUrl, (client) => createLogins(client, { owner: OWNER, app: APP, database: DATABASE }))
  const ownerUrl = urlFor(superUrl, OWNER, DATABASE)
  await migrateUp(ownerUrl)
  const owner = new Pool({ connectionString: ownerUrl, max: 4 })
  owner.on('error', () => undefined)
  await addTenants(owner)
  return {
    databasePort: port,
    appUrl: urlFor(superUrl, APP, DATABASE),
    ownerUrl,
    storage: connectionString,
    tenants: [DEFAULT_TENANT, ...TENANTS.map(({ id }) => id)],
    sql: (text, values) => patientSql(owner, text, values),
    async breakDatabase(end, awayMs) {
      process.kill(postgres.pid, end === 'kill' ? 'SIGKILL' : 'SIGQUIT')
      await postgres.exited
      await pause(awayMs)
      postgres = await startPostgres({ ...options, port })
    },
    async breakStorage(end, awayMs) {
      await (end === 'kill' ? azurite.kill() : azurite.stop())
      await pause(awayMs)
      azurite = await startAzurite({ dataDir: storageFolder, blobPort, queuePort })
    },
    storageSaved: () => saved(connectionString, storageFolder),
    async stop() {
      await owner.end()
      await Promise.all([postgres.stop(), azurite.stop()])
    },
  }
}

async function addTenants(owner: Pool): Promise<void> {
  for (const { id, name, weight, maxRunning } of TENANTS) {
    const values = [id, name, weight, maxRunning]
    await owner.query('insert into taskforce.tenants (id, name, weight, max_running) values ($1, $2, $3, $4)', values)
  }
}

/** The second blob is sent when the first one is saved: what was sent before both was done by then, and is in the file. */
async function saved(connectionString: string, folder: string): Promise<void> {
  const container = BlobServiceClient.fromConnectionString(connectionString).getContainerClient('saved')
  await container.createIfNotExists()
  for (const name of [randomUUID(), randomUUID()]) {
    await container.getBlockBlobClient(name).upload('x', 1)
    while (!(await readFile(join(folder, '__azurite_db_blob__.json'), 'utf8')).includes(name)) await pause(30)
  }
}

async function patientSql<T extends object>(owner: Pool, text: string, values?: unknown[]): Promise<T[]> {
  for (;;) {
    try {
      return (await owner.query<T>(text, values)).rows
    } catch (error) {
      if (!isConnectionError(error)) throw error
      await pause(50)
    }
  }
}
