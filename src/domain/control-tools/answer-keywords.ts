import { z } from 'zod'

export const ANSWER_TYPES = ['string', 'number', 'integer', 'boolean', 'null', 'object', 'array'] as const

const typeName = z.enum(ANSWER_TYPES)
const count = z.int().nonnegative()

/**
 * The JSON Schema that a model may ask an answer in. Everything in it is checked in time that grows with the answer alone: no
 * pattern, which may backtrack for ever, and no $ref, which may never end.
 */
export const answerSchema = z.strictObject({
  type: z
    .union([typeName, z.array(typeName).min(1)], {
      error: `Expected one of ${ANSWER_TYPES.join(', ')}, or a list of them`,
    })
    .optional(),
  title: z.string().optional(),
  description: z.string().optional(),
  default: z.unknown().optional(),
  examples: z.array(z.unknown()).optional(),
  enum: z.array(z.unknown()).min(1).optional(),
  const: z.unknown().optional(),
  minLength: count.optional(),
  maxLength: count.optional(),
  format: z.enum(['date', 'date-time', 'email', 'uri']).optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  exclusiveMinimum: z.number().optional(),
  exclusiveMaximum: z.number().optional(),
  get properties() {
    return z.record(z.string(), answerSchema).optional()
  },
  required: z.array(z.string()).optional(),
  additionalProperties: z.boolean().optional(),
  get items() {
    return answerSchema.optional()
  },
  minItems: count.optional(),
  maxItems: count.optional(),
  get anyOf() {
    return z.array(answerSchema).min(1).optional()
  },
  get oneOf() {
    return z.array(answerSchema).min(1).optional()
  },
})

export type AnswerType = (typeof ANSWER_TYPES)[number]
export type AnswerSchema = z.infer<typeof answerSchema>

/** The types that a schema names; undefined where it names none. */
export function typesOf({ type }: AnswerSchema): AnswerType[] | undefined {
  return typeof type === 'string' ? [type] : type
}
