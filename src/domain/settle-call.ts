import type { MissionState } from './state.ts'

/** Ends a tool call: its result becomes the model's next reading, and the call counts as a step. */
export function settleCall(state: MissionState, callId: string, content: string): MissionState {
  return settle(state, callId, { content })
}

/** Ends a tool call that failed: the model reads why. */
export function failCall(state: MissionState, callId: string, reason: string): MissionState {
  return settle(state, callId, { content: reason, failed: true })
}

function settle(state: MissionState, callId: string, how: { content: string; failed?: true }): MissionState {
  const entry = state.calls.find(({ call, status }) => call.id === callId && status !== 'settled')
  if (entry === undefined) return state
  return {
    ...state,
    calls: state.calls.map((other) => (other === entry ? { ...entry, status: 'settled' } : other)),
    turns: [...state.turns, { role: 'tool', callId, name: entry.call.name, ...how }],
    usage: { ...state.usage, steps: state.usage.steps + 1 },
  }
}
