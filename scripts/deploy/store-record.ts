import { requireLock } from './lock.ts'
import { writeRecord, type DeploymentRecord } from './records.ts'
import type { Session } from './session.ts'
import type { Target } from './target.ts'

/** Records what this run did, or is about to. @throws TerminalError `lock_taken`, `lock_gone` where it is another's turn */
export async function recordUnderLock(session: Session, target: Target, record: DeploymentRecord): Promise<void> {
  await requireLock(session)
  await writeRecord(session.run, target, record)
}

/** Records how a run failed. What is told of the failure is not hidden by one to record it. */
export async function recordFailed({ run, log }: Session, target: Target, record: DeploymentRecord): Promise<void> {
  await writeRecord(run, target, record).catch((failure: Error) => log.write(`not recorded: ${failure.message}`))
}
