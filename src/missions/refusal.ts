/** Codes of the contracts page; the API gives each its HTTP status. */
export type RefusalCode =
  | 'invalid_request'
  | 'unauthenticated'
  | 'forbidden'
  | 'not_found'
  | 'unknown_profile'
  | 'too_large'
  | 'illegal_state'
  | 'already_answered'
  | 'idempotency_conflict'
  | 'rate_limited'
  | 'not_ready'

/** Why a request is not done, in words for the client; nothing was changed. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: RefusalCode
  readonly errors: readonly { pointer: string; detail: string }[]

  /** In place of the code's own, where that is about something else. */
  readonly title: string | undefined

  constructor(
    code: RefusalCode,
    detail: string,
    errors: readonly { pointer: string; detail: string }[] = [],
    title?: string,
  ) {
    super(detail)
    this.code = code
    this.errors = errors
    this.title = title
  }
}

/** RFC 6901, for `errors` of a Refusal. */
export function pointer(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

/** While the deployment drains. */
export function takesNothingNew(): Refusal {
  const detail = 'The service is being looked after, or its tenant is being removed: no new missions are taken.'
  return new Refusal(
    'not_ready',
    `${detail} Missions that there are can be read, and go on later. Send the request again later.`,
  )
}

export function noSuchMission(): Refusal {
  return new Refusal('not_found', 'There is no mission with this id.')
}
