import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { v7 as uuidv7 } from 'uuid'
import { recorderNow } from '../proof/worker/file-ledger.ts'
import type { Crash, Said } from '../proof/worker/settings.ts'
import { startWorker, type WorkerProcess } from '../proof/worker/start-worker.ts'
import type { Lane } from './lane.ts'
import { play, SLICE_MS, WATCHED_MODEL_MS, type Scenario } from './mission.ts'

/** A drain takes milliseconds, as nothing runs any more. */
const STOP_WITHIN_MS = 15_000

/** What one point did. */
export interface PointRun {
  /** The missions, in the order in which they were made. */
  ids: string[]
  /** How many of the crashes happened. */
  reached: number
  /** Calls by port, of each worker. */
  calls: Map<string, number>[]
  /** A worker could not prove in time that it lives, or gave a mission up. */
  leaseLost: boolean
  /** Why the missions did not come to their ends, or a worker to its own. */
  trouble?: string
  ms: number
}

/** Far beyond what any point takes: 5 s, or 10 s where an instance has to give a mission up by itself. */
const WITHIN_MS = 60_000

/**
 * Plays a scenario with one worker at a time, of which the first dies at the first crash, the next one at the second, and so
 * on; the last one lives.
 */
export async function runPoint(
  lane: Lane,
  script: string,
  scenario: Scenario,
  crashes: readonly Crash[],
): Promise<PointRun> {
  const begun = performance.now()
  await lane.tidy()
  const run: PointRun = { ids: [], reached: 0, calls: [], leaseLost: false, ms: 0 }
  const over = new AbortController()
  const late = AbortSignal.timeout(WITHIN_MS)
  const workers = keepOne({ lane, script, scenario, crashes, run }, over.signal)
  try {
    await Promise.race([play(lane, scenario, run.ids, AbortSignal.any([late, over.signal])), workers])
    await leaveTime(scenario)
  } catch (error) {
    run.trouble = late.aborted ? `no end within ${WITHIN_MS / 1000} s` : String(error)
  } finally {
    over.abort()
    await workers.catch((error: unknown) => (run.trouble ??= String(error)))
  }
  return { ...run, ms: performance.now() - begun }
}

/** As the platform does: SIGTERM, and SIGKILL for what does not heed it. */
function end(worker: WorkerProcess, run: PointRun): void {
  const late = setTimeout(() => {
    run.trouble ??= 'a worker did not stop when it was told to'
    void worker.kill()
  }, STOP_WITHIN_MS)
  void worker.drain().then(() => clearTimeout(late))
}

/** The last preview is taken away after the mission's end. */
async function leaveTime(scenario: Scenario): Promise<void> {
  if (scenario === 'watched') await delay(600)
}

interface Keeping {
  lane: Lane
  script: string
  scenario: Scenario
  crashes: readonly Crash[]
  run: PointRun
}

/** Starts the next worker when one was killed, until it is over; the one that lives then is ended as the platform would. */
async function keepOne(keeping: Keeping, over: AbortSignal): Promise<void> {
  for (let nth = 0; !over.aborted; nth++) {
    const worker = await start(keeping, nth)
    const stop = () => end(worker, keeping.run)
    over.addEventListener('abort', stop)
    if (over.aborted) stop()
    const { code, signal } = await worker.exited
    over.removeEventListener('abort', stop)
    if (code === 0 && over.aborted) return
    if (signal !== 'SIGKILL') throw new Error(`A worker ended by itself with ${signal ?? code}`)
    await noteDeath(keeping, worker)
  }
}

async function start({ lane, script, scenario, crashes, run }: Keeping, nth: number): Promise<WorkerProcess> {
  const crash = crashes[nth]
  const calls = new Map<string, number>()
  run.calls.push(calls)
  const instance = uuidv7()
  const settings = lane.worker({
    instance,
    crash,
    sliceMs: SLICE_MS,
    // The timer's sweeps come by time: the first worker's calls could not be counted with them.
    sweepFrom: nth === 0 ? 'fault' : 'start',
    tellCalls: true,
    modelMs: scenario === 'watched' ? WATCHED_MODEL_MS : 0,
  })
  const onSaid = (said: Said) => {
    if (said.said === 'call') calls.set(said.port, said.nth)
    if (said.said === 'told' && said.what === 'leaseLost') run.leaseLost = true
    if (said.said !== 'fault') return
    run.reached++
    lane.faults.push({ kind: crash?.mode ?? '', at: recorderNow(), instance })
  }
  return startWorker(settings, { script, onSaid, compileCache: join(dirname(script), 'compiled') })
}

async function noteDeath({ lane, run }: Keeping, { instance }: WorkerProcess): Promise<void> {
  const at = recorderNow()
  run.reached++
  const owned = await lane.sql<{ missionId: string; epoch: number }>(
    `select id as "missionId", epoch from taskforce.missions where owner = $1`,
    [instance],
  )
  lane.faults.push({ kind: 'kill', at, instance, owned })
}
