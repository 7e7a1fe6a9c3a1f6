import { join } from 'node:path'
import { Pool } from 'pg'
import { v7 as uuidv7 } from 'uuid'
import { createDatabases } from '../../src/db/connection.ts'
import { connectEffects } from '../../src/engine/blob-effects.ts'
import { connectQueue } from '../../src/engine/connect-queue.ts'
import { createQueueWakes } from '../../src/engine/queue-wakes.ts'
import { startAzurite } from '../../src/local/azurite/start-azurite.ts'
import { DEFAULT_TENANT, type MissionsContext } from '../../src/missions/context.ts'
import type { Telemetry } from '../../src/telemetry/events.ts'
import type { Fault, Request } from '../proof/history.ts'
import { plannedTools } from '../proof/agent.ts'
import { fileLedger, recorderNow } from '../proof/worker/file-ledger.ts'
import { PLAN_PROFILE } from '../proof/worker/profile.ts'
import type { GivenSettings } from '../proof/worker/settings.ts'
import type { OwnServer } from '../support/own-server.ts'

/** What one point after the other is run on: a database, an Azurite and clients of its own, so that points can't disturb each other. */
export interface Lane {
  ownerUrl: string
  ledger: string
  missions: MissionsContext
  requests: Request[]
  faults: Fault[]
  /** As the owner of the database. */
  sql<T extends object>(text: string, values?: unknown[]): Promise<T[]>
  worker(over: Partial<GivenSettings>): GivenSettings
  /** Takes away what the point before has left in the queue, and lets no sweep be late. */
  tidy(): Promise<void>
  /** Names of the claims of calls that act once. */
  claims(): Promise<string[]>
  stop(): Promise<void>
}

export const CALLER = { tenantId: DEFAULT_TENANT, name: 'tester' }

/** Short, so that a point is over soon: whoever takes over waits for the lease's end. */
export const LEASE_MS = 1_500

const STORAGE = { kind: 'connection-string' } as const
const silent = new Proxy({} as Telemetry, { get: () => () => undefined })

export async function startLane(server: OwnServer, folder: string, name: string): Promise<Lane> {
  const [database, azurite] = await Promise.all([
    server.createDatabase(),
    startAzurite({ dataDir: join(folder, name) }),
  ])
  const { connectionString } = azurite
  const ledger = join(folder, `${name}.jsonl`)
  const databases = createDatabases({ url: database.appUrl, pooler: undefined, onError: () => undefined })
  const owner = new Pool({ connectionString: database.ownerUrl, max: 2 })
  const queue = await connectQueue(STORAGE, connectionString)
  const claims = await connectEffects(STORAGE, connectionString)
  const missions: MissionsContext = {
    databases,
    wakes: createQueueWakes(async () => queue),
    telemetry: silent,
    // The profile is pinned with what the tools are, not with who runs them.
    tools: plannedTools(fileLedger(ledger, CALLER.name)),
    profiles: new Map([['plan', PLAN_PROFILE]]),
    defaultProfile: 'plan',
    newId: () => uuidv7(),
  }
  return {
    ownerUrl: database.ownerUrl,
    ledger,
    missions,
    requests: [],
    faults: [],
    sql: async (text, values) => (await owner.query(text, values)).rows,
    worker: (over) => ({ ...workerSettings(database.appUrl, connectionString, ledger), ...over }),
    async tidy() {
      await queue.clearMessages()
      await owner.query(`
        insert into taskforce.facts (name, at) values ('last_sweep', now()) on conflict (name) do update set at = now()`)
    },
    async claims() {
      const names: string[] = []
      if (!(await claims.exists())) return names
      for await (const { name: blob } of claims.listBlobsFlat()) names.push(blob)
      return names
    },
    async stop() {
      await Promise.all([databases.close(), owner.end()])
      await azurite.stop()
    },
  }
}

function workerSettings(databaseUrl: string, storageConnectionString: string, ledger: string): GivenSettings {
  return {
    instance: uuidv7(),
    databaseUrl,
    storageConnectionString,
    ledger,
    leaseMs: LEASE_MS,
    sliceMs: 60_000,
    lanes: 4,
    sweepEveryMs: 1_000,
    invisibleMs: 2_000,
    pollMs: 80,
  }
}

/** Writes down what a client asked for and was told. Throws what the work throws. */
export async function asking<T>(
  lane: Lane,
  asked: Pick<Request, 'kind' | 'questionId' | 'answer'> & { missionId?: string },
  work: () => Promise<T>,
  idOf: (result: T) => string = () => asked.missionId ?? '',
): Promise<T> {
  const result = await work()
  const { tenantId } = CALLER
  lane.requests.push({ ...asked, missionId: idOf(result), tenantId, outcome: 'accepted', at: recorderNow() })
  return result
}
