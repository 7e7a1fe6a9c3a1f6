/**
 * What one run of many missions under faults left behind: the database's rows, and what tools, clients and the
 * fault injector saw by their own records. Every proof (simulation, crash sweep, chaos, soak) gives one; the checks read
 * nothing else. Times are milliseconds: `at` of rows by the database's clock since 1970, of everything else by one recorder's
 * clock that never jumps (in the simulation both are the same).
 */
export interface History {
  missions: MissionRecord[]
  /** In the order of (missionId, seq). */
  events: EventRecord[]
  /** Names of the claims of calls that act once, `missionId/key`. */
  claims: string[]
  /** Instances whose row has not expired at the end. */
  living: string[]
  toolRuns: ToolRun[]
  requests: Request[]
  reads: Read[]
  faults: Fault[]
  /** Wakes in the poison queue at the end. */
  poisoned: number
  /** When the last fault was over, by the recorder's clock; everything has to come to rest after it. */
  healedAt: number
  /** When the run was ended, by the recorder's clock, and by the database's. */
  endedAt: number
  databaseNow: number
}

export interface MissionRecord {
  id: string
  tenantId: string
  status: string
  epoch: number
  owner: string | null
  wakeAt: number | null
  inbox: number
  crashes: number
  summary: Record<string, unknown>
  profileHash: string
  startedAt: number | null
  endedAt: number | null
  forkedFrom: string | null
  forkedSeq: number | null
}

export interface EventRecord {
  missionId: string
  seq: number
  epoch: number
  v: number
  type: string
  data: unknown
  at: number
  tenantId: string
}

/** One run of a tool, as the tool itself saw it. Several of one key: it was repeated. */
export interface ToolRun {
  missionId: string
  /** Of the call within its mission, `answeredSeq.index`. */
  key: string
  tool: string
  effect: 'read' | 'idempotent' | 'once'
  instance: string
  begunAt: number
  /** Absent: its process died first. For one that was aborted, when it saw the signal. */
  endedAt?: number
  outcome?: 'done' | 'failed' | 'aborted'
}

/** What a client asked for, and what it was told. `unknown`: it got no answer, so both may be. */
export interface Request {
  kind: 'create' | 'fork' | 'answer' | 'cancel' | 'pause' | 'resume' | 'message'
  missionId: string
  tenantId: string
  outcome: 'accepted' | 'refused' | 'unknown'
  /** When the answer came, by the recorder's clock. */
  at: number
  /** Of the refusal. */
  code?: string
  idempotencyKey?: string
  questionId?: string
  answer?: unknown
}

/** What somebody who reads along has put together over all his connections, from the first event on. */
export interface Read {
  missionId: string
  events: { seq: number; type: string }[]
  /** Whether it read until the mission's end. */
  whole: boolean
}

/** A fault as the injector knows it. */
export interface Fault {
  /**
   * Such as `database-down`, `answer-lost`, `wake-lost`. The checks know three: `kill` and `freeze`, of an instance, and
   * `poison`, of one wake that was put into the poison queue on purpose.
   */
  kind: string
  at: number
  /** When it was over, for those that last. */
  until?: number
  instance?: string
  /** Why it was killed, where that is known. */
  why?: string
  /** Of one that was killed or frozen: the missions that it owned then, by the database. */
  owned?: { missionId: string; epoch: number }[]
}

/** Where a history breaks a rule of `protocols-security-faults.md`, section 4.4. */
export interface Violation {
  /** `I1` to `I21`. */
  invariant: string
  /** What it counts as in the report. */
  counts: 'lost' | 'duplicated' | 'gaps' | 'stuck' | 'illegal'
  missionId?: string
  /** One sentence for a person. */
  what: string
}
