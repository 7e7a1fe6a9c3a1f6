import type { ServerError } from './openai-server-error.ts'

type MaxTokensField = 'max_completion_tokens' | 'max_tokens'

/** Which optional fields of Chat Completions a server takes for a model. It is learnt from the server's refusals. */
export interface Dialect {
  streamOptions: boolean
  temperature: boolean
  /** The first is used, the rest are still to be tried. */
  maxTokensFields: [MaxTokensField, ...MaxTokensField[]]
}

/**
 * What to try first. OpenAI's reasoning models refuse `max_tokens`; compatible servers of all ages take it, and some
 * ignore the newer name without a word. So Azure OpenAI is asked as they are: there it depends on the deployment, whose
 * name says nothing about its model, and on the API version.
 */
export function initialDialect(origin?: string): Dialect {
  const official = origin === 'https://api.openai.com'
  return {
    streamOptions: true,
    temperature: true,
    maxTokensFields: official ? ['max_completion_tokens', 'max_tokens'] : ['max_tokens', 'max_completion_tokens'],
  }
}

/** The dialect to go on with after a refusal, or undefined where the refusal is about something else. Each change happens once. */
export function adaptDialect(dialect: Dialect, error: ServerError): Dialect | undefined {
  if (error.status !== 400 && error.status !== 422) return undefined
  if (dialect.streamOptions && names(error, 'stream_options')) return { ...dialect, streamOptions: false }
  if (!isAboutSupport(error)) return undefined
  const [field, ...others] = dialect.maxTokensFields
  const [next, ...rest] = others
  if (next && names(error, field)) return { ...dialect, maxTokensFields: [next, ...rest] }
  if (dialect.temperature && names(error, 'temperature')) return { ...dialect, temperature: false }
  return undefined
}

function names(error: ServerError, field: string): boolean {
  return error.param === field || error.message.includes(field)
}

/** "Context too long" messages name max_tokens too, and no other field would help there. */
function isAboutSupport(error: ServerError): boolean {
  return /support|unrecogni[sz]ed|unknown|unexpected|not permitted|not allowed/i.test(`${error.code} ${error.message}`)
}
