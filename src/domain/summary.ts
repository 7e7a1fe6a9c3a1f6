import type { Failure } from './event.ts'
import type { MissionState, Usage } from './state.ts'
import type { Waiting } from './waiting.ts'

/**
 * What lists show of a mission without folding its journal; written when the mission's status changes. The result is not in it:
 * it stands in the journal's last event, and a second copy would be a tenth of what a short mission writes.
 */
export interface Summary {
  lastSeq: number
  usage: Usage
  waitingFor?: { kind: Waiting['kind']; until?: string }
  error?: Failure
}

export function summarise(state: MissionState, waiting?: Waiting): Summary & Record<string, unknown> {
  const until = waiting?.until
  const summary: Summary = { lastSeq: state.seq, usage: state.usage }
  if (waiting !== undefined) {
    summary.waitingFor = { kind: waiting.kind }
    if (until !== undefined) summary.waitingFor.until = new Date(until).toISOString()
  }
  if (state.outcome?.status === 'failed') summary.error = state.outcome.error
  return { ...summary }
}
