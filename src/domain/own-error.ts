import { RetryableError, TerminalError } from './errors.ts'

/** One of our errors, at any depth of what a library made of it: clients wrap what was thrown inside of them. */
export function ownError(error: unknown): TerminalError | RetryableError | undefined {
  return causesOf(error).find((cause) => cause instanceof TerminalError || cause instanceof RetryableError)
}

/** The error and its causes, outermost first; ten at most, as a chain may be a ring. */
export function causesOf(error: unknown): Error[] {
  const chain: Error[] = []
  for (let cause = error; cause instanceof Error && chain.length < 10; cause = cause.cause) chain.push(cause)
  return chain
}
