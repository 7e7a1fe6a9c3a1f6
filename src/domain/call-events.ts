import { controlTool } from './control-tools/registry.ts'
import type { EventDraft, ToolCall } from './event.ts'
import type { CallState, MissionState } from './state.ts'

/** The same for every attempt at a call, and for no other call of the mission. */
export function stepKey(state: MissionState, { index }: CallState): string {
  return `${state.answeredSeq}.${index}`
}

/**
 * What follows for a pending call without any hands: a question, a timer, a plan or a refusal; nothing for a tool to be run.
 * @param now milliseconds since 1970 by the database's clock
 */
export function callEvents(
  state: MissionState,
  entry: CallState,
  now: number,
  tools: ReadonlySet<string>,
): EventDraft[] {
  const { call, index } = entry
  if (entry.cutShort) {
    const message = 'Your answer broke off while you wrote this call, so it was not run. Make it again, shorter.'
    return [refusal(call, 'cut_short', message)]
  }
  if (!tools.has(call.name)) {
    const message = `There is no tool "${call.name}". Use one of: ${[...tools].join(', ') || 'none'}.`
    return [refusal(call, 'unknown_tool', message)]
  }
  const control = controlTool(call.name)
  if (control === undefined) return []
  const outcome = control.decide(call, { id: `${state.answeredSeq}-${index}`, now })
  return [outcome.ok ? outcome.event : refusal(call, 'bad_arguments', outcome.reason)]
}

function refusal(call: ToolCall, code: string, message: string): EventDraft {
  return { type: 'tool.failed', data: { callId: call.id, name: call.name, durationMs: 0, error: { code, message } } }
}
