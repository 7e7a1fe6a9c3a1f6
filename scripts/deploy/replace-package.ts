import { publish } from './commands/apps.ts'
import type { DeploymentRecord } from './records.ts'
import type { Session } from './session.ts'
import { recordUnderLock } from './store-record.ts'
import type { Target } from './target.ts'

export interface Replacement {
  target: Target
  /** The package on this machine. */
  file: string
  /** What is kept while it is not known how this ends, for where the run is killed. */
  unended: DeploymentRecord
}

/** What the record of a run says until it ends; one that is killed leaves it so. */
export const UNENDED = { outcome: 'failed', runs: true, reason: 'not ended' } as const

/** Publishes the app's package. @throws TerminalError `lock_taken`, `lock_gone` before anything is done */
export async function replacePackage(session: Session, { target, file, unended }: Replacement): Promise<void> {
  await recordUnderLock(session, target, unended)
  session.app = { ...session.app, isInDoubt: true }
  await session.run(publish(target, target.app, file))
  session.app = { sha256: unended.package.sha256 }
}
