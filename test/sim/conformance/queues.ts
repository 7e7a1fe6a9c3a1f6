import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createQueueWakes, wakeSchema } from '../../../src/engine/queue-wakes.ts'
import { connectQueue, MISSIONS_QUEUE } from '../../../src/engine/connect-queue.ts'
import type { Wakes } from '../../../src/engine/ports.ts'
import { startAzurite } from '../../../src/local/azurite/start-azurite.ts'
import { listenToQueue } from '../../../src/local/host/queue-trigger.ts'
import type { Supervisor } from '../../../src/local/host/supervisor.ts'
import { until } from '../../support/engine.ts'
import { MemoryBackend } from '../memory/backend.ts'
import { SimQueue } from '../queue.ts'
import { World } from '../world.ts'

/** What happens to wakes: who gets them, and what comes of them. */
export interface QueueGround {
  wakes: Wakes
  /** Missions whose wake was handed out, in their order. */
  taken: string[]
  poisoned: string[]
  /** Of the next ones that are handed out; `fails` until there are no more of these. */
  fails: number
  /** Until so many were handed out and so many are in the poison queue, and then for as long as another one could come. */
  settle(taken: number, poisoned?: number): Promise<void>
  stop(): Promise<void>
}

function work(ground: QueueGround, missionId: string): void {
  ground.taken.push(missionId)
  if (ground.fails-- > 0) throw new Error('The permit could not be used')
}

/** The simulated queue without faults, and two consumers. */
export async function simQueue(): Promise<QueueGround> {
  const world = new World(1, new MemoryBackend(), { only: new Set() })
  const { scheduler } = world
  const consumers = [0, 1].map((n) => ({
    actor: { name: `i${n}`, dead: false, frozenUntil: 0, skewMs: 0 },
    work: async (missionId: string) => work(ground, missionId),
    poisoned: async (missionId: string) => void ground.poisoned.push(missionId),
  }))
  const queue = new SimQueue(world.server, () => consumers)
  const ground: QueueGround = {
    wakes: {
      async send(missionId, inSeconds) {
        const sent = queue
          .wakesOf({ name: 'sender', dead: false, frozenUntil: 0, skewMs: 0 })
          .send(missionId, inSeconds)
        await scheduler.run(scheduler.now + 30, () => false)
        return sent
      },
    },
    taken: [],
    poisoned: [],
    fails: 0,
    settle: () => scheduler.run(scheduler.now + 3_600_000, () => false),
    stop: async () => undefined,
  }
  return ground
}

const SETTINGS = {
  batchSize: 16,
  newBatchThreshold: 16,
  maxDequeueCount: 5,
  visibilityTimeoutMs: 0,
  maxPollingIntervalMs: 100,
  messageEncoding: 'base64' as const,
}

/** The real port on Azurite, and the host's trigger with its poison queue. */
export async function azuriteQueue(): Promise<QueueGround> {
  const folder = await mkdtemp(join(tmpdir(), 'taskforce-queue-'))
  const azurite = await startAzurite({ dataDir: folder })
  const { connectionString } = azurite
  const stopping = new AbortController()
  const listen = (queueName: string, handle: (missionId: string) => void) => {
    const supervisor = {
      current: async () => ({}),
      invoke: async ({ inputData }: { inputData: { data: { string?: string } }[] }) =>
        handle(wakeSchema.parse(JSON.parse(inputData[0]?.data.string ?? '')).missionId),
    } as unknown as Supervisor
    const queue = { functionName: queueName, bindingName: 'message', queueName, connectionString, asBytes: false }
    const indexed = { ...queue, functionId: queueName } as unknown as Parameters<typeof listenToQueue>[0]
    return listenToQueue(indexed, SETTINGS, 600_000, supervisor, () => undefined, stopping.signal)
  }
  const ground: QueueGround = {
    wakes: createQueueWakes(() => connectQueue({ kind: 'connection-string' }, connectionString)),
    taken: [],
    poisoned: [],
    fails: 0,
    async settle(taken, poisoned = 0) {
      await until(() => ground.taken.length >= taken && ground.poisoned.length >= poisoned)
      // Several polls more: what should not come has had its time.
      await new Promise((resolve) => setTimeout(resolve, 700))
    },
    async stop() {
      stopping.abort()
      await Promise.all(listening)
      await azurite.kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
  const listening = [
    listen(MISSIONS_QUEUE, (missionId) => work(ground, missionId)),
    listen(`${MISSIONS_QUEUE}-poison`, (missionId) => void ground.poisoned.push(missionId)),
  ]
  return ground
}
