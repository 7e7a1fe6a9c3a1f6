import { TerminalError } from '../../src/domain/errors.ts'

export function smokeFailed(what: string): TerminalError {
  return new TerminalError('smoke_failed', `The smoke test failed: ${what}.`)
}
