import { z } from 'zod'

/** Where a worker is to die or to be lied to: at the n-th call of a port since its start. */
export const crashSchema = z.strictObject({
  port: z.string(),
  nth: z.int().positive(),
  /**
   * `before`, `after`: SIGKILL just before the call, or when it is done and nobody has seen its result. `answer-lost`: a
   * statement is done, and its answer is a broken connection. `error-before`, `error-after`: another port's call throws, and
   * nothing was done, or all of it.
   */
  mode: z.enum(['before', 'after', 'answer-lost', 'error-before', 'error-after']),
})

export type Crash = z.infer<typeof crashSchema>

/** What wakes suffer on their way to the queue; probabilities from 0 to 1. */
export const wakeFaultsSchema = z.strictObject({
  seed: z.int(),
  lose: z.number().min(0).max(1).default(0),
  duplicate: z.number().min(0).max(1).default(0),
  /** Of a wake that comes later by 0 to `delayMs`. */
  delay: z.number().min(0).max(1).default(0),
  delayMs: z.number().nonnegative().default(0),
})

export const workerSettingsSchema = z.strictObject({
  instance: z.uuid(),
  databaseUrl: z.string(),
  storageConnectionString: z.string(),
  leaseMs: z.number().positive(),
  sliceMs: z.number().positive(),
  /** Messages that are worked on side by side, and missions. */
  lanes: z.int().positive(),
  sweepEveryMs: z.number().positive(),
  /** `start`: a sweep at once, and then by the timer. `fault`: the first one when `crash` has happened. Absent: by the timer. */
  sweepFrom: z.enum(['start', 'fault']).optional(),
  /** File for the JSON lines of the tools and of the faults that the worker makes itself. */
  ledger: z.string(),
  /** How long a message stays hidden whose worker died; whole seconds from 1 on, by the queue's rules. */
  invisibleMs: z.number().min(1_000),
  /** Pause between looks into an empty queue. */
  pollMs: z.number().positive().default(100),
  /** How long the model takes. */
  modelMs: z.number().nonnegative().default(0),
  /** Whether each call of a port is told. */
  tellCalls: z.boolean().default(false),
  crash: crashSchema.optional(),
  wakeFaults: wakeFaultsSchema.optional(),
})

export type WorkerSettings = z.infer<typeof workerSettingsSchema>
export type GivenSettings = z.input<typeof workerSettingsSchema>

/** What a worker tells its parent. */
export type Said =
  | { said: 'ready' }
  /** A message was worked on; without a mission where it found nothing to do. */
  | { said: 'slice'; missionId?: string; end?: string }
  /** By the telemetry's name, with the error's own name or code. */
  | { said: 'told'; what: string; missionId?: string; error?: string }
  | { said: 'call'; port: string; nth: number }
  /** The crash point was reached and the worker lives on. */
  | { said: 'fault' }
