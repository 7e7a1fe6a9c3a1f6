import { z } from 'zod'
import type { ControlTool } from './control-tool.ts'
import { parseArguments } from './parse-arguments.ts'

const input = z.strictObject({
  seconds: z
    .number()
    .positive()
    .max(30 * 24 * 3600)
    .describe('How long to wait, in seconds; up to 30 days. Nothing is charged while you wait.'),
})

export const wait: ControlTool = {
  name: 'wait',
  description: 'Sleeps for some time before you go on, for seconds or for days.',
  input,
  effect: 'idempotent',
  decide(call, { id, now }) {
    const parsed = parseArguments(input, call.arguments)
    if (!parsed.ok) return parsed
    const until = new Date(now + Math.ceil(parsed.value.seconds * 1000)).toISOString()
    return { ok: true, event: { type: 'timer.set', data: { timerId: `t${id}`, callId: call.id, until } } }
  },
}
