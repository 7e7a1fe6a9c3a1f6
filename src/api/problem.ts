import type { Refusal } from '../missions/refusal.ts'
import { type RefusalCode } from '../missions/refusal.ts'
import type { ApiResponse } from './http.ts'

const statuses: Record<RefusalCode | 'internal', { status: number; title: string }> = {
  invalid_request: { status: 400, title: 'The request is not valid' },
  unknown_profile: { status: 400, title: 'There is no such profile' },
  unauthenticated: { status: 401, title: 'A valid API key is needed' },
  forbidden: { status: 403, title: 'Not allowed' },
  not_found: { status: 404, title: 'Not found' },
  illegal_state: { status: 409, title: "The mission's state does not allow this" },
  already_answered: { status: 409, title: 'The question is closed' },
  too_large: { status: 413, title: 'Too large' },
  idempotency_conflict: { status: 422, title: 'The Idempotency-Key belongs to another request' },
  rate_limited: { status: 429, title: 'Too much at once' },
  not_ready: { status: 503, title: 'The service is not ready' },
  internal: { status: 500, title: 'Something went wrong here' },
}

/** RFC 9457. `instance` names the request, so that a report can be found in the logs. */
export function problem(refusal: Refusal, path: string, invocationId: string): ApiResponse {
  const { status, title } = statuses[refusal.code]
  const body = {
    type: `https://taskforce.example.com/problems/${refusal.code}`,
    title: refusal.title ?? title,
    status,
    detail: refusal.message,
    instance: `${path}#${invocationId}`,
    code: refusal.code,
    ...(refusal.errors.length === 0 ? {} : { errors: refusal.errors }),
  }
  const headers: Record<string, string> = { 'content-type': 'application/problem+json' }
  if (status === 401) headers['www-authenticate'] = 'Bearer'
  if (status === 503 || status === 429) headers['retry-after'] = '5'
  return { status, headers, body: JSON.stringify(body) }
}

/** For what nobody foresaw: no word of the error, which may hold anything; the log has it under the same id. */
export function internalProblem(path: string, invocationId: string): ApiResponse {
  const { status, title } = statuses.internal
  const detail = 'The request was not done. Try again; if it stays so, give this instance to whoever runs the service.'
  const body = { type: 'about:blank', title, status, detail, instance: `${path}#${invocationId}`, code: 'internal' }
  return { status, headers: { 'content-type': 'application/problem+json' }, body: JSON.stringify(body) }
}
