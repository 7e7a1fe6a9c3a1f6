import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Worker, type ResourceLimits } from 'node:worker_threads'
import { z } from 'zod'
import type { Outcome, Script } from './script.ts'

export interface ScriptLimits {
  /** Milliseconds that a script may run before QuickJS interrupts it. */
  deadlineMs: number
  /** Milliseconds from the thread's start to its end by force: some of QuickJS's own loops can't be interrupted. */
  hardStopMs: number
}

export const SCRIPT_LIMITS: ScriptLimits = { deadlineMs: 5000, hardStopMs: 10_000 }

/**
 * Of V8; QuickJS's memory is none of it and has limits of its own. Each call in a script takes of both stacks, and V8's
 * must be the one that lasts longer: at 4 MB it ends first, at 8 MB after QuickJS's 2 MiB, whatever is called.
 */
export const THREAD_LIMITS: ResourceLimits = {
  maxOldGenerationSizeMb: 64,
  maxYoungGenerationSizeMb: 16,
  stackSizeMb: 16,
}

const logs = z.array(z.string())
const outcomeSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('done'),
    result: z.string().refine((text) => parseJson(text) !== undefined),
    note: z.string().optional(),
    logs,
  }),
  z.object({
    kind: z.literal('failed'),
    stage: z.enum(['script', 'result']),
    error: z.string(),
    stack: z.string(),
    logs,
  }),
  z.object({ kind: z.literal('timeout'), logs }),
  z.object({ kind: z.literal('out_of_memory'), logs }),
  z.object({ kind: z.literal('unsettled'), logs }),
]) satisfies z.ZodType<Outcome>

/**
 * Runs a script in a thread of its own that shares nothing and is gone when this settles. Start to end of a trivial
 * script takes 68 ms from the bundle and 100 ms from source (medians of 25, Node 24, 2 cores), so there is no pool of
 * threads that could keep something from one script to the next. A memory bomb takes 100 MiB, and all of it comes back:
 * ten in a row left the process at +5 MiB. Rejects with the signal's reason, and with the thread's error when it crashed.
 */
export async function runScript(
  script: Omit<Script, 'deadlineMs'>,
  signal: AbortSignal,
  { deadlineMs, hardStopMs }: ScriptLimits,
): Promise<Outcome> {
  signal.throwIfAborted()
  const { promise, resolve, reject } = Promise.withResolvers<Outcome>()
  const worker = startThread({ ...script, deadlineMs })
  worker.once('message', (answer: unknown) => resolve(parseOutcome(answer)))
  worker.once('error', (error) => (isOutOfMemory(error) ? resolve({ kind: 'out_of_memory', logs: [] }) : reject(error)))
  worker.once('exit', (code) => reject(new Error(`The sandbox thread ended with ${code} and without an answer.`)))
  const hardStop = setTimeout(() => resolve({ kind: 'timeout', logs: [] }), hardStopMs)
  const stop = () => reject(signal.reason as Error)
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await promise
  } finally {
    clearTimeout(hardStop)
    signal.removeEventListener('abort', stop)
    // Takes 2 ms in the middle of a loop, 15 ms with 96 MiB to give back.
    await worker.terminate()
  }
}

function startThread(script: Script): Worker {
  return new Worker(workerFile(), {
    name: 'sandbox',
    workerData: JSON.stringify(script),
    // Nothing of this process: no settings or secrets, no flags or preloaded modules, no output.
    env: {},
    argv: [],
    execArgv: [],
    stdout: true,
    stderr: true,
    resourceLimits: THREAD_LIMITS,
  })
}

/** Beside the bundle when built, in this folder when not. */
function workerFile(): string {
  const built = join(import.meta.dirname, 'sandbox-worker.cjs')
  return existsSync(built) ? built : join(import.meta.dirname, 'worker.ts')
}

/** Whatever a thread says: an Outcome. */
export function parseOutcome(answer: unknown): Outcome {
  const parsed = outcomeSchema.safeParse(typeof answer === 'string' ? parseJson(answer) : undefined)
  if (parsed.success) return parsed.data
  return { kind: 'failed', stage: 'result', error: 'the code changed what writes it', stack: '', logs: [] }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'
}
