import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { v7 as uuidv7 } from 'uuid'
import type { ApiContext } from '../../src/api/endpoints.ts'
import { events } from '../../src/api/missions/events.ts'
import { createDatabases } from '../../src/db/connection.ts'
import { connectQueue } from '../../src/engine/connect-queue.ts'
import { createQueueWakes } from '../../src/engine/queue-wakes.ts'
import type { MissionsContext } from '../../src/missions/context.ts'
import { Refusal } from '../../src/missions/refusal.ts'
import { Watchers } from '../../src/missions/watchers.ts'
import type { Telemetry } from '../../src/telemetry/events.ts'
import { plannedTools } from '../proof/agent.ts'
import { fileLedger } from '../proof/worker/file-ledger.ts'
import { faultyWakes } from '../proof/worker/wake-faults.ts'
import { PROFILES } from '../sim/profiles.ts'
import { WAKE_FAULTS } from './fleet.ts'

/** An instance of the app as its clients see it: the use cases, and the streams of events over HTTP. It runs no missions. */
export interface Api {
  missions: MissionsContext
  /** Such as `http://127.0.0.1:1234`. */
  url: string
  stop(): Promise<void>
}

const NOBODY = {
  instance: '',
  now: () => 0,
  sleep: async () => undefined,
  begin: () => undefined,
  end: () => undefined,
}

export interface ApiSettings {
  /** By way of a proxy of its own. */
  databaseUrl: string
  storage: string
  /** File for what becomes of the wakes. */
  ledger: string
  seed: number
}

export async function startApi({ databaseUrl, storage, ledger, seed }: ApiSettings): Promise<Api> {
  const databases = createDatabases({ url: databaseUrl, pooler: undefined, onError: () => undefined })
  const wakes = createQueueWakes(() => connectQueue({ kind: 'connection-string' }, storage))
  const missions: MissionsContext = {
    databases,
    wakes: faultyWakes(wakes, { ...WAKE_FAULTS, seed }, fileLedger(ledger, uuidv7())),
    telemetry: silentTelemetry(),
    tools: plannedTools(NOBODY),
    profiles: PROFILES,
    defaultProfile: 'model',
    newId: () => uuidv7(),
  }
  const context: ApiContext = {
    missions,
    watchers: new Watchers(databases.engine),
    engine: { reserve: async () => undefined },
    auth: { mode: 'off', apiKey: undefined },
  }
  const server = createServer((request, response) => void answer(context, request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    missions,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.close()
      server.closeAllConnections()
      await databases.close()
    },
  }
}

/** The one route that is asked for over HTTP: the events, as the app gives them. */
async function answer(context: ApiContext, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const caller = { tenantId: String(request.headers['x-tenant']), name: 'watcher' }
  const header = (name: string) => request.headers[name.toLowerCase()]?.toString() ?? null
  const asked = { method: 'GET', url: `http://127.0.0.1${request.url}`, headers: { get: header }, body: null }
  try {
    const { status, headers, body } = await events(asked, context, caller)
    response.writeHead(status, headers)
    if (body instanceof ReadableStream) await pipeline(Readable.fromWeb(body), response)
    else response.end(body)
  } catch (error) {
    // A client that is gone is no error; one that is there comes again.
    if (!response.headersSent) response.writeHead(error instanceof Refusal ? 429 : 503)
    response.end()
  }
}

export function silentTelemetry(): Telemetry {
  return new Proxy({} as Telemetry, { get: () => () => undefined })
}
