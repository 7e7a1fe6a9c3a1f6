import { z } from 'zod'
import { schemaProblem } from './answer-schema.ts'
import type { ControlTool } from './control-tool.ts'
import { parseArguments } from './parse-arguments.ts'

const input = z.strictObject({
  question: z.string().min(1).max(4000).describe('What you want to know, in one or two sentences.'),
  schema: z
    .looseObject({})
    .optional()
    .describe(
      'JSON Schema of the answer, plain: types, enum, const, properties, items, anyOf, lengths and bounds; no pattern, no $ref. Leave it out for a free text.',
    ),
  deadlineSeconds: z
    .number()
    .positive()
    .max(90 * 24 * 3600)
    .optional()
    .describe('How long the answer may take.'),
  defaultAnswer: z.unknown().optional().describe('What to go on with when nobody answers before the deadline.'),
})

export const askUser: ControlTool = {
  name: 'ask_user',
  description:
    'Asks the person who gave you the mission, and waits for the answer. Use it only for what you cannot find out yourself.',
  input,
  effect: 'idempotent',
  decide(call, { id, now }) {
    const parsed = parseArguments(input, call.arguments)
    if (!parsed.ok) return parsed
    const { question, schema = { type: 'string' }, deadlineSeconds, defaultAnswer } = parsed.value
    const unusable = schemaProblem(schema)
    if (unusable !== undefined) return { ok: false, reason: unusable }
    const deadline =
      deadlineSeconds === undefined ? {} : { deadline: new Date(now + deadlineSeconds * 1000).toISOString() }
    const onDeadline = {
      action: 'continue' as const,
      ...(defaultAnswer === undefined ? {} : { answer: defaultAnswer }),
    }
    const data = {
      questionId: `q${id}`,
      callId: call.id,
      kind: 'question' as const,
      text: question,
      schema,
      ...deadline,
      onDeadline,
    }
    return { ok: true, event: { type: 'question.asked', data } }
  },
}
