import type { Question } from './schemas.ts'
import { oneLine } from './text.ts'

export type Schema = Record<string, unknown>

/** What was typed, as the schema wants it, or what is wrong with it. */
export type Parsed = { value: unknown } | { wrong: string }

export interface Choice {
  value: unknown
  label: string
}

/** `enum`, or a list of constants with titles (`oneOf` and `anyOf` of `const`). */
export function choicesOf(schema: Schema): Choice[] | undefined {
  if (Array.isArray(schema.enum)) return schema.enum.map((value: unknown) => ({ value, label: showValue(value) }))
  const branches: unknown = schema.oneOf ?? schema.anyOf
  if (!Array.isArray(branches) || branches.length === 0) return undefined
  if (!branches.every((branch) => isSchema(branch) && 'const' in branch)) return undefined
  return branches.map((branch: Schema) => ({
    value: branch.const,
    label: typeof branch.title === 'string' ? oneLine(branch.title) : showValue(branch.const),
  }))
}

/** The form to ask in: a JSON Schema type, `string` where there is none, `any` for what only JSON can say. */
export function typeOf(schema: Schema): string {
  if (typeof schema.type === 'string') return schema.type
  if (isSchema(schema.properties)) return 'object'
  return ['type', 'items', 'anyOf', 'oneOf', 'allOf'].some((key) => key in schema) ? 'any' : 'string'
}

export function parseNumber(schema: Schema, text: string): Parsed {
  const value = Number(text.trim())
  if (text.trim() === '' || !Number.isFinite(value)) return { wrong: 'Please give a number.' }
  if (schema.type === 'integer' && !Number.isInteger(value)) return { wrong: 'Please give a whole number.' }
  const { minimum, maximum } = schema
  if (typeof minimum === 'number' && value < minimum) return { wrong: `At least ${minimum}, please.` }
  if (typeof maximum === 'number' && value > maximum) return { wrong: `At most ${maximum}, please.` }
  return { value }
}

export function parseText(schema: Schema, text: string): Parsed {
  const least = typeof schema.minLength === 'number' ? schema.minLength : 1
  return text.trim().length < least ? { wrong: 'Please give an answer.' } : { value: text }
}

export function parseJson(text: string): Parsed {
  try {
    return { value: JSON.parse(text) }
  } catch {
    return { wrong: 'Please give JSON, such as ["one", "two"].' }
  }
}

export function showValue(value: unknown): string {
  return oneLine(typeof value === 'string' ? value : JSON.stringify(value))
}

export function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** An answer that fits the schema, for the command that a person can paste and change. */
export function exampleAnswer(question: Pick<Question, 'kind' | 'schema'>): unknown {
  if (question.kind === 'approval') return { approved: true }
  return example(question.schema)
}

function example(schema: Schema): unknown {
  if (schema.default !== undefined) return schema.default
  const choices = choicesOf(schema)
  if (choices !== undefined) return choices[0]?.value
  switch (typeOf(schema)) {
    case 'boolean':
      return true
    case 'integer':
    case 'number':
      return typeof schema.minimum === 'number' ? schema.minimum : 1
    case 'array':
      return []
    case 'object':
      return Object.fromEntries(
        Object.entries(isSchema(schema.properties) ? schema.properties : {}).map(([name, property]) => [
          name,
          example(isSchema(property) ? property : {}),
        ]),
      )
    default:
      return 'your answer'
  }
}
