import { TerminalError } from '../../src/domain/errors.ts'
import type { Session } from './session.ts'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Within it a signal is the same one once more: npm hands on what the terminal has sent to this process too. */
const SAME_MS = 1_000

/**
 * Runs work that Ctrl-C ends in order, and a terminal or a reader that goes away: the command that runs is ended, and the work fails at
 * its next step with TerminalError `interrupted`, so that it takes back what it has begun, as a drain and a lock. A second Ctrl-C ends
 * the process at once.
 */
export async function interruptible<T>(session: Session, work: () => Promise<T>): Promise<T> {
  const { readerGone, now } = session
  let last: number | undefined
  const onSignal = (signal: NodeJS.Signals) => {
    const isAgain = last !== undefined && now().getTime() - last >= SAME_MS
    // A terminal that closes says so in several ways, and nobody is there who would want it at once.
    if (isAgain && signal !== 'SIGHUP') process.exit(1)
    last ??= now().getTime()
    stop(session, signal)
  }
  const onReaderGone = () => stop(session, 'the end of whoever read its output')
  for (const signal of SIGNALS) process.on(signal, onSignal)
  readerGone.addEventListener('abort', onReaderGone)
  try {
    if (readerGone.aborted) onReaderGone()
    return await work()
  } finally {
    for (const signal of SIGNALS) process.off(signal, onSignal)
    readerGone.removeEventListener('abort', onReaderGone)
  }
}

function stop({ stopping, log }: Session, by: string): void {
  if (stopping.signal.aborted) return
  stopping.abort(new TerminalError('interrupted', `It was interrupted by ${by}.`))
  log.say(`${by}: clears up and ends. Once more ends at once, and leaves a drain for up to 15 minutes.`)
}
