import type * as Clack from '@clack/prompts'
import type { Readable, Writable } from 'node:stream'
import {
  choicesOf,
  isSchema,
  parseJson,
  parseNumber,
  parseText,
  showValue,
  typeOf,
  type Choice,
  type Parsed,
  type Schema,
} from './answer-schema.ts'
import { moment } from './render-event.ts'
import type { Question } from './schemas.ts'
import { oneLine, plain } from './text.ts'

type Prompts = typeof Clack

interface AskOptions {
  /** Aborted when the question was closed elsewhere. */
  signal: AbortSignal
  input: Readable
  output: Writable
}

/** Thrown inside a prompt that was left without an answer. */
class Left extends Error {}

/** Marks a property that was left empty. */
const NOTHING = Symbol('nothing')

/** Asks one question in the terminal, in the form that its JSON Schema asks for. */
export async function ask(
  question: Question,
  options: AskOptions,
): Promise<{ answer: unknown } | 'withdrawn' | 'interrupted'> {
  // Loaded here because most runs ask nothing.
  const prompts = await import('@clack/prompts')
  const until = question.deadline === undefined ? '' : ` (until ${moment(question.deadline)})`
  const message = `${plain(question.text)}${until}`
  try {
    if (question.kind === 'approval') return { answer: await askApproval(prompts, message, options) }
    return { answer: await askValue(prompts, question.schema, message, true, options) }
  } catch (error) {
    if (!(error instanceof Left)) throw error
    return options.signal.aborted ? 'withdrawn' : 'interrupted'
  }
}

async function askApproval(prompts: Prompts, message: string, options: AskOptions): Promise<unknown> {
  const approved = given(
    prompts,
    await prompts.confirm({ ...options, message, active: 'Approve', inactive: 'Refuse', initialValue: false }),
  )
  const reason = given(prompts, await prompts.text({ ...options, message: 'Reason (may be empty)', defaultValue: '' }))
  return reason.trim() === '' ? { approved } : { approved, reason: reason.trim() }
}

async function askValue(
  prompts: Prompts,
  schema: Schema,
  message: string,
  required: boolean,
  options: AskOptions,
): Promise<unknown> {
  const choices = choicesOf(schema)
  if (choices !== undefined) return askChoice(prompts, choices, message, required, options)
  switch (typeOf(schema)) {
    case 'boolean':
      return given(prompts, await prompts.confirm({ ...options, message, initialValue: schema.default !== false }))
    case 'integer':
    case 'number':
      return askTyped(prompts, schema, message, required, options, (text) => parseNumber(schema, text))
    case 'object':
      if (isSchema(schema.properties)) return askObject(prompts, schema, schema.properties, message, options)
      return askTyped(prompts, schema, `${message} (JSON)`, required, options, parseJson)
    case 'string':
      return askTyped(prompts, schema, message, required, options, (text) => parseText(schema, text))
    default:
      return askTyped(prompts, schema, `${message} (JSON)`, required, options, parseJson)
  }
}

async function askObject(
  prompts: Prompts,
  schema: Schema,
  properties: Schema,
  message: string,
  options: AskOptions,
): Promise<unknown> {
  prompts.log.step(message, options)
  const required: unknown[] = Array.isArray(schema.required) ? schema.required : []
  const answer: Record<string, unknown> = {}
  for (const [name, property] of Object.entries(properties)) {
    const inner = isSchema(property) ? property : {}
    const told = [inner.title, inner.description].filter((part) => typeof part === 'string').map(oneLine)
    const needed = required.includes(name)
    const label = `${told.length > 0 ? told.join(': ') : oneLine(name)}${needed ? '' : ' (may be empty)'}`
    const value = await askValue(prompts, inner, label, needed, options)
    if (value !== NOTHING) answer[name] = value
  }
  return answer
}

async function askChoice(
  prompts: Prompts,
  choices: Choice[],
  message: string,
  required: boolean,
  options: AskOptions,
): Promise<unknown> {
  // By index: the values may be null or objects, which a list can't tell apart.
  const listed = choices.map(({ label }, index) => ({ value: index, label }))
  if (!required) listed.push({ value: -1, label: '(nothing)' })
  const index = given(prompts, await prompts.select<number>({ ...options, message, options: listed }))
  return index === -1 ? NOTHING : choices[index]?.value
}

async function askTyped(
  prompts: Prompts,
  schema: Schema,
  message: string,
  required: boolean,
  options: AskOptions,
  parse: (text: string) => Parsed,
): Promise<unknown> {
  const initialValue = schema.default === undefined ? undefined : showValue(schema.default)
  const isLeftOut = (text: string): boolean => !required && text.trim() === ''
  const text = given(
    prompts,
    await prompts.text({
      ...options,
      message,
      initialValue,
      validate(value = '') {
        const parsed = isLeftOut(value) ? undefined : parse(value)
        return parsed !== undefined && 'wrong' in parsed ? parsed.wrong : undefined
      },
    }),
  )
  if (isLeftOut(text ?? '')) return NOTHING
  const parsed = parse(text ?? '')
  return 'value' in parsed ? parsed.value : undefined
}

function given<T>(prompts: Prompts, value: T): Exclude<T, symbol> {
  if (prompts.isCancel(value)) throw new Left()
  return value as Exclude<T, symbol>
}
