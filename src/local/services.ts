import { join } from 'node:path'
import { QueueServiceClient } from '@azure/storage-queue'
import pg from 'pg'
import { migrateUp } from '../db/migrate/up.ts'
import { createLogins } from '../db/roles.ts'
import { ownError } from '../domain/own-error.ts'
import { startAzurite, type LocalAzurite } from './azurite/start-azurite.ts'
import { readConnections, saveConnections, type SavedConnections } from './saved-connections.ts'
import { startPostgres, type LocalPostgres } from './postgres/start-postgres.ts'

export interface Services {
  /** As the schema's owner: migrations, and looking around. */
  ownerUrl: string
  /** As the app: what the functions connect with. */
  appUrl: string
  storageConnectionString: string
  stop(): Promise<void>
}

const DATABASE = 'taskforce'

/** Postgres with an up-to-date schema, and Azurite: what missions are kept in. Both are started again when they die. */
export async function startServices(dataDir: string, log: (line: string) => void): Promise<Services> {
  const saved = await readConnections(dataDir)
  const stopping = new AbortController()
  const stops: (() => Promise<void>)[] = []
  const stop = async () => {
    stopping.abort()
    await Promise.allSettled(stops.map((end) => end()))
  }
  try {
    const startOn = (port: number | undefined) => startPostgres({ dataDir: join(dataDir, 'postgres'), port })
    const postgres = await keepUp('Postgres', stopping.signal, log, (last: LocalPostgres | undefined) =>
      last === undefined ? preferring('Postgres', saved.postgresPort, undefined, startOn, log) : startOn(last.port),
    )
    stops.push(() => postgres.current().stop())
    log(`Postgres 17 on 127.0.0.1:${postgres.current().port}`)
    const urls = await prepareDatabase(postgres.current(), saved, log)
    const azurite = await keepUp('Azurite', stopping.signal, log, (last: LocalAzurite | undefined) => {
      const start = (ports: QueuePorts) => startQueue(join(dataDir, 'azurite'), ports)
      if (last !== undefined) return start({ blobPort: last.blobPort, queuePort: last.queuePort })
      return preferring('Azurite', { blobPort: saved.blobPort, queuePort: saved.queuePort }, {}, start, log)
    })
    stops.push(() => azurite.current().stop())
    const { blobPort, queuePort, connectionString } = azurite.current()
    await createQueues(connectionString)
    log(`Azurite queues on 127.0.0.1:${queuePort}, blobs on 127.0.0.1:${blobPort}`)
    saveConnections(dataDir, { ...saved, postgresPort: postgres.current().port, blobPort, queuePort })
    return { ...urls, storageConnectionString: connectionString, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

interface QueuePorts {
  blobPort?: number
  queuePort?: number
}

/**
 * Starts a service where it was the last time, so that connection strings stay the same; where another program sits on its
 * port by now, it takes a free one.
 */
async function preferring<P, T>(
  name: string,
  ports: P,
  free: P,
  start: (ports: P) => Promise<T>,
  log: (line: string) => void,
): Promise<T> {
  try {
    return await start(ports)
  } catch (error) {
    if (ownError(error)?.code !== `${name.toLowerCase()}_port_in_use`) throw error
    log(`${name} takes a free port: another program is on the one of the last time`)
    return start(free)
  }
}

/** What is in Azurite can be made again: wakes, which the sweep sends anew. So its data may go where it can't be read. */
async function startQueue(dataDir: string, ports: QueuePorts): Promise<LocalAzurite> {
  try {
    return await startAzurite({ dataDir, ...ports })
  } catch (error) {
    const advice = `If its data is damaged, remove ${dataDir} and start again: missions are in Postgres, and none is lost.`
    throw new Error(`${(error as Error).message} ${advice}`, { cause: error })
  }
}

/** On Azure the deployment makes them. */
async function createQueues(connectionString: string): Promise<void> {
  const service = QueueServiceClient.fromConnectionString(connectionString)
  for (const name of ['missions', 'missions-poison']) await service.getQueueClient(name).createIfNotExists()
}

interface Process {
  exited: Promise<unknown>
}

/** Starts a service, and again on the same ports whenever it ends without being told to. */
async function keepUp<T extends Process>(
  name: string,
  signal: AbortSignal,
  log: (line: string) => void,
  start: (last: T | undefined) => Promise<T>,
): Promise<{ current(): T }> {
  let current = await start(undefined)
  async function watch(): Promise<void> {
    for (;;) {
      await current.exited
      if (signal.aborted) return
      log(`${name} ended by itself; starting it again`)
      current = await start(current)
      log(`${name} is back`)
    }
  }
  watch().catch((error: unknown) => log(`${name} could not be started again: ${(error as Error).message}`))
  return { current: () => current }
}

/** Logins, the schema migrated, and no instance believed alive: none can be, in here. */
async function prepareDatabase(postgres: LocalPostgres, saved: SavedConnections, log: (line: string) => void) {
  const owner = { name: 'taskforce', password: saved.ownerPassword }
  const app = { name: 'taskforce_app', password: saved.appPassword }
  const client = new pg.Client({ connectionString: postgres.superUrl })
  await client.connect()
  try {
    await createLogins(client, { owner, app, database: DATABASE })
  } finally {
    await client.end()
  }
  const url = (login: typeof owner) =>
    `postgresql://${login.name}:${login.password}@127.0.0.1:${postgres.port}/${DATABASE}`
  const status = await migrateUp(url(owner), { log })
  log(`Schema at revision ${status.revision}`)
  await forgetInstances(url(owner))
  return { ownerUrl: url(owner), appUrl: url(app) }
}

/** The folder is locked, so whoever held missions before is gone: they can be claimed now, not when the leases run out. */
async function forgetInstances(ownerUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: ownerUrl })
  await client.connect()
  try {
    await client.query('delete from taskforce.instances')
  } finally {
    await client.end()
  }
}
