import { z } from 'zod'
import { answerProblems, type AnswerProblem } from './answer-check.ts'
import { ANSWER_TYPES, answerSchema, typesOf, type AnswerSchema, type AnswerType } from './answer-keywords.ts'

const DEEPEST = 8
const MOST_SCHEMAS = 200
const MOST_BYTES = 16 * 1024
/** Of the JSON as such: 8 schemas take 16 levels, the values in `enum` and `const` some more. Parsers recurse into it. */
const DEEPEST_JSON = 32

const KEYWORDS = Object.keys(answerSchema.shape)

/**
 * Why a question's schema can't be used, for the model to mend: a keyword outside of the plain subset, a size, or a
 * contradiction that no answer could satisfy.
 */
export function schemaProblem(schema: Record<string, unknown>): string | undefined {
  const read = readSchema(schema)
  return read.ok ? undefined : `"schema" can't be used. ${read.reason}`
}

/**
 * Whether an answer fits a question's schema. Never throws, and its time is bounded. Journals hold questions from before the
 * subset: to these any answer fits.
 */
export function answerFits(
  schema: Record<string, unknown>,
  answer: unknown,
): { ok: true } | { ok: false; problems: AnswerProblem[] } {
  const read = readSchema(schema)
  const problems = read.ok ? answerProblems(read.schema, answer) : []
  return problems.length === 0 ? { ok: true } : { ok: false, problems }
}

function readSchema(json: Record<string, unknown>): { ok: true; schema: AnswerSchema } | { ok: false; reason: string } {
  if (isDeeper(json, DEEPEST_JSON)) return { ok: false, reason: `It is nested more than ${DEEPEST} schemas deep.` }
  const bytes = new TextEncoder().encode(JSON.stringify(json)).length
  if (bytes > MOST_BYTES) return { ok: false, reason: `It has ${bytes} bytes, and may have ${MOST_BYTES}.` }
  const parsed = answerSchema.safeParse(json)
  if (!parsed.success) {
    const unknown = parsed.error.issues.some(({ code }) => code === 'unrecognized_keys')
    const advice = unknown ? `\nUse these keywords only: ${KEYWORDS.join(', ')}.` : ''
    return { ok: false, reason: `${z.prettifyError(parsed.error)}${advice}` }
  }
  const reason = treeProblem(parsed.data)
  return reason === undefined ? { ok: true, schema: parsed.data } : { ok: false, reason }
}

function isDeeper(json: unknown, levels: number): boolean {
  if (typeof json !== 'object' || json === null) return false
  return levels === 0 || Object.values(json).some((value) => isDeeper(value, levels - 1))
}

interface Node {
  schema: AnswerSchema
  path: string
  depth: number
}

function treeProblem(root: AnswerSchema): string | undefined {
  const nodes: Node[] = [{ schema: root, path: '', depth: 1 }]
  // The list grows while it is read.
  for (const node of nodes) {
    if (node.depth > DEEPEST) return `It is nested more than ${DEEPEST} schemas deep.`
    nodes.push(...childrenOf(node))
    if (nodes.length > MOST_SCHEMAS) return `It holds more than ${MOST_SCHEMAS} schemas.`
  }
  for (const { schema, path } of nodes) {
    const reason = contradiction(schema)
    if (reason !== undefined) return `${reason}${path === '' ? '' : ` (at ${path.slice(1)})`} No answer could fit.`
  }
  return undefined
}

function childrenOf({ schema, path, depth }: Node): Node[] {
  const { properties = {}, items, anyOf = [], oneOf = [] } = schema
  const child = (one: AnswerSchema, name: string) => ({ schema: one, path: `${path}.${name}`, depth: depth + 1 })
  return [
    ...Object.entries(properties).map(([name, one]) => child(one, `properties.${name}`)),
    ...(items === undefined ? [] : [child(items, 'items')]),
    ...anyOf.map((one, index) => child(one, `anyOf[${index}]`)),
    ...oneOf.map((one, index) => child(one, `oneOf[${index}]`)),
  ]
}

function contradiction(schema: AnswerSchema): string | undefined {
  const {
    minLength = 0,
    maxLength = Infinity,
    minItems = 0,
    maxItems = Infinity,
    required = [],
    properties = {},
  } = schema
  if (minLength > maxLength) return `"minLength" ${minLength} is more than "maxLength" ${maxLength}.`
  if (minItems > maxItems) return `"minItems" ${minItems} is more than "maxItems" ${maxItems}.`
  if (isEmptyRange(schema))
    return 'Between "minimum" and "maximum" (or the exclusive ones) lies no number of this type.'
  const unknown = required.find((name) => !Object.hasOwn(properties, name))
  if (unknown !== undefined) return `"required" names ${JSON.stringify(unknown)}, which is not in "properties".`
  if (new Set(schema.oneOf?.map((one) => JSON.stringify(one))).size < (schema.oneOf?.length ?? 0)) {
    return '"oneOf" holds the same alternative twice.'
  }
  const fixed = Object.hasOwn(schema, 'const') ? [schema.const] : schema.enum
  if (fixed !== undefined && !fixed.some((value) => answerProblems(schema, value).length === 0)) {
    return 'No value of "enum" or "const" fits the rest of its schema.'
  }
  return possibleTypes(schema).size === 0 ? '"type" and the types of its alternatives exclude each other.' : undefined
}

function isEmptyRange(schema: AnswerSchema): boolean {
  const { minimum = -Infinity, maximum = Infinity, exclusiveMinimum = -Infinity, exclusiveMaximum = Infinity } = schema
  const least = Math.max(minimum, exclusiveMinimum)
  const most = Math.min(maximum, exclusiveMaximum)
  const inside = (value: number) => answerProblems({ ...bounds(schema), type: 'number' }, value).length === 0
  if (typesOf(schema)?.every((type) => type === 'integer')) {
    const [lowest, highest] = [Math.ceil(least), Math.floor(most)]
    // The whole numbers next to the bounds, which may be excluded themselves.
    return lowest > highest || (Number.isFinite(lowest) && ![lowest, lowest + 1].some(inside))
  }
  return least > most || (least === most && !inside(least))
}

function bounds({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: AnswerSchema): AnswerSchema {
  return { minimum, maximum, exclusiveMinimum, exclusiveMaximum }
}

/** The types that an answer may have, alternatives included. */
function possibleTypes(schema: AnswerSchema): Set<AnswerType> {
  const own = new Set<AnswerType>(typesOf(schema) ?? ANSWER_TYPES)
  // Whole numbers are numbers.
  if (own.has('number')) own.add('integer')
  for (const branches of [schema.anyOf, schema.oneOf]) {
    if (branches === undefined) continue
    const theirs = new Set(branches.flatMap((one) => [...possibleTypes(one)]))
    for (const type of own) if (!theirs.has(type)) own.delete(type)
  }
  return own
}
