import { z } from 'zod'
import { filteredCategories } from './content-filter.ts'

/** What a model server said about an error. `message` may repeat parts of the request: match on it, never show it. */
export interface ServerError {
  status?: number
  code: string
  type: string
  param: string
  message: string
  /** What a content filter objected to. */
  contentFilter: string[]
  headers?: Headers
}

/** The error object of a Chat Completions server, in the forms that servers give it. */
const payloadSchema = z.object({
  code: z.union([z.string(), z.number()]).nullish().catch(undefined),
  type: z.string().catch(''),
  param: z.string().catch(''),
  message: z.string().optional().catch(undefined),
  // Azure OpenAI's verdicts about a prompt.
  innererror: z.object({ content_filter_result: z.unknown().optional() }).optional().catch(undefined),
})

const thrownSchema = z.object({
  status: z.number().optional().catch(undefined),
  headers: z.custom<Headers>(hasHeaders).optional().catch(undefined),
  error: z.unknown(),
})

/**
 * Reads an error of the `openai` client by its shape, since an instanceof would load the package. Undefined where no
 * server spoke: a connection that failed, a defect of ours.
 */
export function readServerError(thrown: unknown): ServerError | undefined {
  const parsed = thrownSchema.safeParse(thrown)
  if (!parsed.success) return undefined
  const { status, headers, error } = parsed.data
  if (status === undefined && error === undefined) return undefined
  return readErrorPayload(error, status, headers)
}

/** Reads the `error` value of a body or of an event. A code such as 429 stands for the status where there is none. */
export function readErrorPayload(error: unknown, status?: number, headers?: Headers): ServerError {
  const parsed = payloadSchema.safeParse(error)
  const payload = parsed.success ? parsed.data : { type: '', param: '' }
  const code = String(payload.code ?? '')
  return {
    status: status ?? (/^[45]\d\d$/.test(code) ? Number(code) : undefined),
    code,
    type: payload.type,
    param: payload.param,
    message: payload.message ?? (typeof error === 'string' ? error : (JSON.stringify(error) ?? '')),
    contentFilter: filteredCategories(payload.innererror?.content_filter_result),
    headers,
  }
}

/** Headers of any fetch: the one that the client uses is not Node's, and neither is its class. */
function hasHeaders(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'get' in value && typeof value.get === 'function'
}
