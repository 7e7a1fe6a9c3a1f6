import { TerminalError } from '../../src/domain/errors.ts'
import { findRunning } from './find-running.ts'
import { takeLock } from './lock.ts'
import type { Progress } from './progress.ts'
import { readRecords } from './read-records.ts'
import type { Session } from './session.ts'
import type { Target } from './target.ts'

/** Locks the environment, and reads what was deployed to it before and what runs. Throws TerminalError. */
export async function lookBack(session: Session, progress: Progress, target: Target): Promise<void> {
  await takeLock(session, target, progress.who ?? 'unknown')
  const history = await readRecords(session, target)
  progress.before = await findRunning(session, target, history.records)
  progress.history = history
}

/**
 * The same while the infrastructure is still to come, which may be what opens storage to this machine, or gives the right to this
 * person: whoever is kept out is told, without waiting, and `progress.history` stays absent. Throws TerminalError for everything else.
 */
export async function tryToLookBack(session: Session, progress: Progress, target: Target): Promise<void> {
  const asking: Session = { ...session, run: (command) => session.run({ ...command, asksOnce: true }) }
  try {
    await lookBack(asking, progress, target)
  } catch (error) {
    const why = whyKeptOut(error)
    if (why === undefined) throw error
    session.log.say(
      `  ${why} ${target.account}: the lock, earlier deployments and the comparison with the package of before come after the infrastructure`,
    )
  } finally {
    if (asking.lock !== undefined) session.lock = asking.lock
  }
}

function whyKeptOut(error: unknown): string | undefined {
  if (!(error instanceof TerminalError)) return undefined
  if (error.code === 'network_refused') return 'the network keeps this machine out of'
  if (error.code === 'permission_refused') return 'whoever is signed in may not use'
  return undefined
}
