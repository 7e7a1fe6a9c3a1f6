import { z } from 'zod'
import { typesOf, type AnswerSchema, type AnswerType } from './answer-keywords.ts'

/** What is wrong with an answer, and where; an empty path is the answer itself. */
export interface AnswerProblem {
  path: (string | number)[]
  message: string
}

/** A person mends a few problems at a time. */
const MOST_PROBLEMS = 20
/** Values looked at and compared: an answer of 64 KiB against a list of thousands would take a second otherwise. */
const MOST_STEPS = 200_000

interface Place {
  path: (string | number)[]
  /** Shared by the whole check. */
  budget: { steps: number }
}

const formats = {
  date: z.iso.date(),
  'date-time': z.iso.datetime({ offset: true }),
  email: z.email(),
  uri: z.url(),
}

/** The first problems of an answer; none where it fits. It never throws, and its time is bounded. */
export function answerProblems(schema: AnswerSchema, answer: unknown): AnswerProblem[] {
  const budget = { steps: 0 }
  const found: AnswerProblem[] = []
  for (const problem of problems(schema, answer, { path: [], budget })) {
    found.push(problem)
    if (found.length === MOST_PROBLEMS) break
  }
  if (budget.steps > MOST_STEPS)
    return [{ path: [], message: 'The answer is too large to be checked. Give a shorter one.' }]
  return found
}

function* problems(schema: AnswerSchema, value: unknown, place: Place): Generator<AnswerProblem> {
  const { path, budget } = place
  budget.steps += 1 + (schema.enum?.length ?? 0)
  if (budget.steps > MOST_STEPS) return
  const types = typesOf(schema)
  if (types !== undefined && !types.some((type) => isOfType(value, type))) {
    yield { path, message: `Expected ${types.join(' or ')}, not ${kindOf(value)}.` }
    return
  }
  const messages = [...choiceProblems(schema, value), ...textProblems(schema, value), ...numberProblems(schema, value)]
  yield* messages.map((message) => ({ path, message }))
  if (Array.isArray(value)) yield* listProblems(schema, value, place)
  else if (isRecord(value)) yield* objectProblems(schema, value, place)
  yield* branchProblems(schema, value, place)
}

function choiceProblems(schema: AnswerSchema, value: unknown): string[] {
  const found: string[] = []
  if (Object.hasOwn(schema, 'const') && !sameJson(schema.const, value)) found.push(`Expected ${short(schema.const)}.`)
  if (schema.enum !== undefined && !schema.enum.some((one) => sameJson(one, value))) {
    found.push(`Expected one of ${short(schema.enum)}.`)
  }
  return found
}

function textProblems({ minLength = 0, maxLength = Infinity, format }: AnswerSchema, value: unknown): string[] {
  if (typeof value !== 'string') return []
  // JSON Schema counts characters, not the two halves that JavaScript keeps an emoji in.
  const length = Array.from(value).length
  const found: string[] = []
  if (length < minLength) found.push(`Expected at least ${minLength} characters.`)
  if (length > maxLength) found.push(`Expected at most ${maxLength} characters.`)
  if (format !== undefined && !formats[format].safeParse(value).success)
    found.push(`Expected a text of format ${format}.`)
  return found
}

function numberProblems(schema: AnswerSchema, value: unknown): string[] {
  if (typeof value !== 'number') return []
  const { minimum = -Infinity, maximum = Infinity, exclusiveMinimum, exclusiveMaximum } = schema
  const found: string[] = []
  if (value < minimum) found.push(`Expected at least ${minimum}.`)
  if (value > maximum) found.push(`Expected at most ${maximum}.`)
  if (exclusiveMinimum !== undefined && value <= exclusiveMinimum) found.push(`Expected more than ${exclusiveMinimum}.`)
  if (exclusiveMaximum !== undefined && value >= exclusiveMaximum) found.push(`Expected less than ${exclusiveMaximum}.`)
  return found
}

function* listProblems(schema: AnswerSchema, list: unknown[], { path, budget }: Place): Generator<AnswerProblem> {
  const { items, minItems = 0, maxItems = Infinity } = schema
  if (list.length < minItems) yield { path, message: `Expected at least ${minItems} items.` }
  if (list.length > maxItems) yield { path, message: `Expected at most ${maxItems} items.` }
  if (items === undefined) return
  for (const [index, item] of list.entries()) yield* problems(items, item, { path: [...path, index], budget })
}

function* objectProblems(
  { properties = {}, required = [], additionalProperties = true }: AnswerSchema,
  object: Record<string, unknown>,
  { path, budget }: Place,
): Generator<AnswerProblem> {
  for (const name of required) {
    if (!Object.hasOwn(object, name)) yield { path: [...path, name], message: 'It is missing.' }
  }
  for (const [name, value] of Object.entries(object)) {
    const schema = Object.hasOwn(properties, name) ? properties[name] : undefined
    if (schema !== undefined) yield* problems(schema, value, { path: [...path, name], budget })
    else if (!additionalProperties) yield { path: [...path, name], message: 'Nothing of this name was asked for.' }
  }
}

function* branchProblems({ anyOf, oneOf }: AnswerSchema, value: unknown, place: Place): Generator<AnswerProblem> {
  const fits = (branch: AnswerSchema) => problems(branch, value, place).next().done === true
  const { path } = place
  if (anyOf !== undefined && !anyOf.some(fits)) yield { path, message: 'It fits none of the alternatives.' }
  const fitting = oneOf?.filter(fits).length
  if (fitting === 0) yield { path, message: 'It fits none of the alternatives.' }
  if (fitting !== undefined && fitting > 1) yield { path, message: 'It fits more than one of the alternatives.' }
}

function isOfType(value: unknown, type: AnswerType): boolean {
  if (type === 'integer') return Number.isInteger(value)
  return kindOf(value) === type
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return kindOf(value) === 'object'
}

/** Only as deep as `a`, which comes from the schema. */
function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => sameJson(item, b[i]))
  if (!isRecord(a) || !isRecord(b)) return false
  const names = Object.keys(a)
  if (names.length !== Object.keys(b).length) return false
  return names.every((name) => Object.hasOwn(b, name) && sameJson(a[name], b[name]))
}

function short(value: unknown): string {
  const text = JSON.stringify(value)
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}
