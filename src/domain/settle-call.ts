import type { MissionState } from './state.ts'

/** Ends a tool call: its result becomes the model's next reading, and the call counts as a step. */
export function settleCall(state: MissionState, callId: string, content: string): MissionState {
  const entry = state.calls.find(({ call, status }) => call.id === callId && status !== 'settled')
  if (entry === undefined) return state
  return {
    ...state,
    calls: state.calls.map((other) => (other === entry ? { ...entry, status: 'settled' } : other)),
    turns: [...state.turns, { role: 'tool', callId, name: entry.call.name, content }],
    usage: { ...state.usage, steps: state.usage.steps + 1 },
  }
}
