import type { z } from 'zod'
import type { EventDraft, ToolCall } from '../event.ts'

/** A tool that needs no hands: calling it is a decision about the mission itself, recorded as an event. */
export interface ControlTool {
  name: string
  description: string
  input: z.ZodType
  effect: 'read' | 'idempotent'
  /**
   * @param at `id`: unique for the call within the mission; `now`: milliseconds since 1970 by the database's clock
   */
  decide(call: ToolCall, at: { id: string; now: number }): ControlOutcome
}

export type ControlOutcome = { ok: true; event: EventDraft } | { ok: false; reason: string }
