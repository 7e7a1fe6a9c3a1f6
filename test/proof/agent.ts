import { z } from 'zod'
import { RetryableError, TerminalError } from '../../src/domain/errors.ts'
import type { ModelAnswer, ModelMessage } from '../../src/models/model.ts'
import type { Tool, ToolContext } from '../../src/tools/tool.ts'
import type { ToolRun } from './history.ts'

/** One call of an answer. `look` may be repeated at will, `put` with its key, `act` never. `kills`: whoever makes it dies of it. */
export type PlannedCall =
  | { tool: 'look' | 'put' | 'act'; ms: number; end?: 'fails' | 'may-pass' | 'kills' }
  | { tool: 'ask'; question: string; deadlineSeconds?: number }
  | { tool: 'sleep'; seconds: number }

/** A mission's goal: the calls of each answer, made side by side, and then the end. */
export type Plan = PlannedCall[][]

export const goalOf = (plan: Plan): string => JSON.stringify(plan)

const planSchema = z.array(z.array(z.looseObject({ tool: z.string() })))

/** Names of the tools as the profile has to list them. */
export const PLAN_TOOLS = ['look', 'put', 'act', 'ask_user', 'wait']

const usage = { inputTokens: 100, outputTokens: 10 }

/** Does what the first message says, answer by answer; whatever else it is told, it only counts its own answers. */
export function planned(messages: readonly ModelMessage[]): ModelAnswer {
  const goal = messages.find(({ role }) => role === 'user')?.content ?? '[]'
  const turn = messages.filter(({ role }) => role === 'assistant').length
  const calls = (planSchema.parse(JSON.parse(goal)) as Plan)[turn] ?? []
  const answer = { model: 'scripted', usage }
  if (calls.length === 0) return { ...answer, text: `Done after ${turn} answers`, toolCalls: [], finishReason: 'stop' }
  const toolCalls = calls.map((call, index) => ({ id: `c${turn}_${index}`, ...asked(call) }))
  return { ...answer, text: `Answer ${turn}`, toolCalls, finishReason: 'tool_calls' }
}

function asked(call: PlannedCall): { name: string; arguments: string } {
  if (call.tool === 'ask') {
    const { question, deadlineSeconds } = call
    return { name: 'ask_user', arguments: JSON.stringify({ question, deadlineSeconds }) }
  }
  if (call.tool === 'sleep') return { name: 'wait', arguments: JSON.stringify({ seconds: call.seconds }) }
  return { name: call.tool, arguments: JSON.stringify({ ms: call.ms, end: call.end }) }
}

/** The world outside of the engine, which remembers what was done to it whatever becomes of who did it. */
export interface Ledger {
  instance: string
  /** Milliseconds of the recorder's clock. */
  now(): number
  /** Takes as long, or until the signal is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
  /** Safe as soon as it returns: the process may be killed in the next moment. */
  begin(run: ToolRun): void
  /** Ends the process, as a call does that takes all of the memory. */
  die?(): void
  end(run: ToolRun): void
}

const input = z.object({ ms: z.number(), end: z.enum(['fails', 'may-pass', 'kills']).optional() })

/** The three tools of the plans, which write down what they do. */
export function plannedTools(ledger: Ledger): Map<string, Tool> {
  const effects = { look: 'read', put: 'idempotent', act: 'once' } as const
  return new Map(Object.entries(effects).map(([name, effect]) => [name, plannedTool(ledger, name, effect)]))
}

function plannedTool(ledger: Ledger, name: string, effect: ToolRun['effect']): Tool {
  return {
    name,
    description: name,
    input,
    effect,
    timeoutMs: 600_000,
    maxOutputBytes: 10_000,
    async run(given, { key: whole, signal }: ToolContext) {
      const { ms, end } = given as z.infer<typeof input>
      const [missionId = '', key = ''] = whole.split(':')
      const run: ToolRun = { missionId, key, tool: name, effect, instance: ledger.instance, begunAt: ledger.now() }
      ledger.begin(run)
      if (end === 'kills') ledger.die?.()
      const finish = (outcome: ToolRun['outcome']) => ledger.end({ ...run, endedAt: ledger.now(), outcome })
      await ledger.sleep(ms, signal)
      if (signal.aborted) {
        finish('aborted')
        throw signal.reason
      }
      finish(end === undefined ? 'done' : 'failed')
      if (end === 'fails') throw new TerminalError('refused', 'It was refused. Go on without it.')
      if (end === 'may-pass') throw new RetryableError('busy', 'It is busy.')
      return { text: `${name} ${key}` }
    },
  }
}
