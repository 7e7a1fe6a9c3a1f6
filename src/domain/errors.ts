export interface Tokens {
  inputTokens: number
  outputTokens: number
}

/**
 * An error's class says what the engine does next (after Restate's `types/errors.ts`): try again, or end with the reason.
 * `code` is stable and machine-readable, the message says what happened, `hint` what a person can do about it.
 */
export class RetryableError extends Error {
  override readonly name = 'RetryableError'
  readonly code: string
  /** Milliseconds that the other side asked us to wait; absent where it did not say. */
  readonly retryAfterMs: number | undefined
  /** What a failed model call has cost all the same, estimated: servers bill for an answer that broke off. */
  readonly spent: Tokens | undefined

  constructor(code: string, message: string, options: { retryAfterMs?: number; spent?: Tokens; cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.code = code
    this.retryAfterMs = options.retryAfterMs
    this.spent = options.spent
  }
}

/** Repeating would give the same result: the step fails, and whoever asked for it learns why. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError'
  readonly code: string
  readonly hint: string | undefined
  /** What a content filter objected to, such as "violence (high)". */
  readonly contentFilter: readonly string[] | undefined
  /** As with RetryableError. */
  readonly spent: Tokens | undefined

  constructor(
    code: string,
    message: string,
    options: { hint?: string; contentFilter?: readonly string[]; spent?: Tokens; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause })
    this.code = code
    this.hint = options.hint
    this.contentFilter = options.contentFilter
    this.spent = options.spent
  }
}
