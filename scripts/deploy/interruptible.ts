import { TerminalError } from '../../src/domain/errors.ts'
import type { Session } from './session.ts'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Runs work that Ctrl-C ends in order: the command that runs is ended, and the work fails at its next step with TerminalError
 * `interrupted`, so that it takes back what it has begun, as a drain and a lock. A second signal ends the process at once.
 */
export async function interruptible<T>(session: Session, work: () => Promise<T>): Promise<T> {
  const { stopping, log } = session
  const onSignal = (signal: NodeJS.Signals) => {
    if (stopping.signal.aborted) process.exit(1)
    stopping.abort(new TerminalError('interrupted', `It was interrupted by ${signal}.`))
    log.say(`${signal}: clears up and ends. Once more ends at once, and leaves a drain for up to 15 minutes.`)
  }
  for (const signal of SIGNALS) process.on(signal, onSignal)
  try {
    return await work()
  } finally {
    for (const signal of SIGNALS) process.off(signal, onSignal)
  }
}
