import { TerminalError } from '../../src/domain/errors.ts'

/** Azure says that there is no such group or deployment: nothing else that fails means that. */
export function isNotThere(error: unknown): boolean {
  return error instanceof TerminalError && /\b(?:DeploymentNotFound|ResourceGroupNotFound)\b/.test(error.message)
}
