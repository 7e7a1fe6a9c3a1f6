import type { ModelAnswer, ModelMessage } from '../../src/models/model.ts'

/** Tool calls that a mission makes one after the other, as its goal: for models that run in another process than the test. */
export type GoalScript = [tool: string, input?: object][]

export const goalOf = (...calls: GoalScript): string => JSON.stringify(calls)

/** A model that does what the goal says, call by call, and then ends the mission. */
export function modelOfGoals(messages: readonly ModelMessage[]): ModelAnswer {
  const goal = messages.find(({ role }) => role === 'user')?.content ?? '[]'
  const turn = messages.filter(({ role }) => role === 'assistant').length
  const next = (JSON.parse(goal) as GoalScript)[turn]
  const usage = { inputTokens: 100, outputTokens: 10 }
  const answer = { model: 'scripted', usage }
  if (next === undefined) return { ...answer, text: 'Done', toolCalls: [], finishReason: 'stop' }
  const [name, input = {}] = next
  const toolCalls = [{ id: `c${turn}`, name, arguments: JSON.stringify(input) }]
  return { ...answer, text: '', toolCalls, finishReason: 'tool_calls' }
}
