import type { Model } from '../models/model.ts'
import type { Tool } from '../tools/tool.ts'
import type { Telemetry } from '../telemetry/events.ts'
import type { Deltas } from './deltas.ts'
import type { Clock, Contents, Effects, Journal, Missions, Wakes } from './ports.ts'

/** Everything that the engine works with, given once per process. */
export interface EngineContext {
  /** Id of this process in `instances`. */
  instance: string
  journal: Journal
  missions: Missions
  wakes: Wakes
  clock: Clock
  contents: Contents
  /** Absent: what a model writes is seen when it is recorded, and not before. */
  deltas?: Deltas
  effects: Effects
  model: Model
  /** The model of profiles that name none. */
  defaultModel: string
  tools: ReadonlyMap<string, Tool>
  telemetry: Telemetry
  /** Runs a sweep where the timer that should have done it is late; cheap where it is not. */
  sweepIfLate(): Promise<void>
  settings: { leaseMs: number; sliceMs: number; concurrency: number }
}
