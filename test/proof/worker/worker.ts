/** One instance of the engine as a real process, for proofs that kill, freeze and cut off such. Started by `startWorker`. */
import type { Telemetry } from '../../../src/telemetry/events.ts'
import { crashPoint } from './crash-point.ts'
import { createParts } from './parts.ts'
import { nameOf, startLanes, type QueueLanes } from './queue-lanes.ts'
import { workerSettingsSchema, type Said } from './settings.ts'

const settings = workerSettingsSchema.parse(JSON.parse(process.argv[2] ?? '{}'))
const say = (said: Said) => void (process.connected && process.send?.(said))

/** What is only news, and comes with every step. */
const QUIET = new Set(['recorded', 'swept', 'missionAccepted', 'started'])

const telemetry = new Proxy({} as Telemetry, {
  get: (_, what: string) => (about: unknown) => {
    if (QUIET.has(what)) return
    const { error = about, missionId } = about as { error?: unknown; missionId?: string }
    say({ said: 'told', what, missionId, error: error instanceof Error ? nameOf(error) : undefined })
  },
})

let sweeping: NodeJS.Timeout | undefined

/** Half of the pause: two sweeps that come a little close are no reason to leave one out. */
function sweepNow(): void {
  parts.sweep(settings.sweepEveryMs / 2e3).catch((error: unknown) => telemetry.sweepFailed(error))
}

function startSweeping(atOnce: boolean): void {
  if (atOnce) sweepNow()
  sweeping ??= setInterval(sweepNow, settings.sweepEveryMs)
}

const around = crashPoint(settings, say, () => {
  say({ said: 'fault' })
  if (settings.sweepFrom === 'fault') startSweeping(false)
})
const parts = createParts(settings, telemetry, around)
let lanes: QueueLanes | undefined

function begin(): void {
  lanes = startLanes(parts, settings, say)
  if (settings.sweepFrom !== 'fault') startSweeping(settings.sweepFrom === 'start')
}

/** What `functions/setup.ts` does when the platform ends an instance. */
async function stop(): Promise<void> {
  clearInterval(sweeping)
  const stopped = lanes?.stop()
  const report = (error: unknown) => telemetry.shutdownFailed(error)
  await parts.engine.drain().catch(report)
  await stopped
  await parts.databases.close().catch(report)
  process.disconnect()
}

process.once('SIGTERM', () => void stop())
process.on('disconnect', () => process.exit())
// Only then, since the first statement may be the one that it is to die at, and nobody would have heard of it.
process.send?.({ said: 'ready' } satisfies Said, begin)
