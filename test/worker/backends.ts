import { QueueServiceClient } from '@azure/storage-queue'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startAzurite } from '../../src/local/azurite/start-azurite.ts'
import { startDemoModel } from '../../src/local/demo-model/start.ts'
import { createTestDatabase, withConnection } from '../support/postgres.ts'

export interface Backends {
  /** Settings for an app that uses them; nothing else is in there. */
  env: Record<string, string>
  /** Takes the oldest wake out of the queue, as the host does: base64 decoded, then JSON. */
  takeWake(): Promise<unknown>
  /** How many processes say in the database that they live and move missions. */
  livingInstances(): Promise<number>
  /** Which process holds the mission, if any. */
  ownerOf(missionId: string): Promise<string | null>
  stop(): Promise<void>
}

/** Postgres, Azurite and the demo model, whose turns take `modelDelayMs`. */
export async function startBackends(modelDelayMs: number): Promise<Backends> {
  const folder = await mkdtemp(join(tmpdir(), 'taskforce-backends-'))
  const database = await createTestDatabase()
  const model = await startDemoModel({ delayMs: modelDelayMs })
  const azurite = await startAzurite({ dataDir: join(folder, 'azurite') })
  const queue = QueueServiceClient.fromConnectionString(azurite.connectionString).getQueueClient('missions')
  const one = async <T extends object>(text: string, values: unknown[] = []) =>
    withConnection(database.ownerUrl, async (client) => (await client.query<T>(text, values)).rows[0])
  return {
    env: {
      DATABASE_URL: database.appUrl,
      JOBS_STORAGE: azurite.connectionString,
      OPENAI_API_KEY: 'demo',
      OPENAI_BASE_URL: model.url,
      OPENAI_MODEL: 'demo',
      AUTH: 'off',
    },
    takeWake: async () => {
      const { receivedMessageItems } = await queue.receiveMessages({ numberOfMessages: 1 })
      const [message] = receivedMessageItems
      if (message === undefined) throw new Error('There is no wake in the queue.')
      await queue.deleteMessage(message.messageId, message.popReceipt)
      return JSON.parse(Buffer.from(message.messageText, 'base64').toString('utf8')) as unknown
    },
    livingInstances: async () =>
      (await one<{ n: number }>('select count(*)::int as n from taskforce.instances'))?.n ?? Number.NaN,
    ownerOf: async (missionId) =>
      (await one<{ owner: string | null }>('select owner from taskforce.missions where id = $1', [missionId]))?.owner ??
      null,
    stop: async () => {
      await Promise.all([model.stop(), azurite.stop()])
      await database.drop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
