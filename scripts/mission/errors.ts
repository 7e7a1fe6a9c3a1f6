import type { Problem } from './schemas.ts'

/** The command was called wrongly: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Going on would lose something: exit code 3. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError'
}

/** The work failed and the message says what to do next: exit code 1. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}

/** No answer came from the API; it may come later. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError'
  /** Whether nothing listened there, so that the request certainly did not arrive. */
  readonly refused: boolean

  constructor(message: string, options: { cause: unknown; refused?: boolean }) {
    super(message, options)
    this.refused = options.refused === true
  }
}

/** The API refused (RFC 9457). */
export class ProblemError extends Error {
  override readonly name = 'ProblemError'
  readonly problem: Problem
  /** Milliseconds that the API asked us to wait; absent where it did not say. */
  readonly retryAfterMs: number | undefined

  constructor(problem: Problem, retryAfterMs?: number) {
    super(`The API answered ${problem.status} (${problem.title}).`)
    this.problem = problem
    this.retryAfterMs = retryAfterMs
  }
}

/** Whether the same request may do better later: no answer, 408, 429 and all of 5xx. */
export function mayPass(error: unknown): boolean {
  if (error instanceof UnreachableError) return true
  if (!(error instanceof ProblemError)) return false
  const { status } = error.problem
  return status >= 500 || status === 429 || status === 408
}
