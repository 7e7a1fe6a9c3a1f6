/**
 * An error's class says what the engine does next (after Restate's `types/errors.ts`): try again, or end with the reason.
 * `code` is stable and machine-readable, the message says what happened, `hint` what a person can do about it.
 */
export class RetryableError extends Error {
  override readonly name = 'RetryableError'
  readonly code: string
  /** Milliseconds that the other side asked us to wait; absent where it did not say. */
  readonly retryAfterMs: number | undefined

  constructor(code: string, message: string, options: { retryAfterMs?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.code = code
    this.retryAfterMs = options.retryAfterMs
  }
}

/** Repeating would give the same result: the step fails, and whoever asked for it learns why. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError'
  readonly code: string
  readonly hint: string | undefined

  constructor(code: string, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.code = code
    this.hint = options.hint
  }
}
