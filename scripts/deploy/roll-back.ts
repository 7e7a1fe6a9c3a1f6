import type { SchemaRevision } from '../../src/db/schema-revision.ts'
import { accessTo } from './app-access.ts'
import { exchange } from './exchange.ts'
import type { AskMigrator } from './migrator.ts'
import { startAfter, type DeploymentRecord } from './records.ts'
import { replacePackage, UNENDED } from './replace-package.ts'
import { requireFit } from './require-fit.ts'
import { inStage, type Session } from './session.ts'
import type { SmokeOptions } from './smoke-request.ts'
import { smoke } from './smoke.ts'
import { recordFailed, recordUnderLock } from './store-record.ts'
import { bringPackage } from './stored-package.ts'
import type { Target } from './target.ts'

export interface RollBack {
  target: Target
  /** Or the schema that was recorded, where it can't be asked: nothing is drained then. */
  migrator: AskMigrator | SchemaRevision
  apiKey: string
  /** The deployment whose package runs afterwards. */
  to: DeploymentRecord
  who: string
  reason: string
  /** All that were recorded or begun until now. */
  before: readonly { startedAt: string }[]
}

/** Publishes the package of an earlier deployment where it can run on the schema, tests and records it. Throws TerminalError. */
export async function rollBack(session: Session, work: RollBack): Promise<DeploymentRecord> {
  const { target, migrator, apiKey, to, who, reason, before } = work
  const startedAt = startAfter(session.now().toISOString(), before)
  const schema = typeof migrator === 'function' ? await migrator({ action: 'status' }) : migrator
  requireFit(to, schema)
  const file = await inStage(session, 'package', () => bringPackage(session, target, to))
  const { revision, minCode } = schema
  const recordOf = (end: Pick<DeploymentRecord, 'outcome' | 'runs' | 'reason'>): DeploymentRecord => {
    const endedAt = session.now().toISOString()
    return { ...to, kind: 'rollback', schema: { revision, minCode }, who, startedAt, endedAt, ...end }
  }
  const replacement = { target, file, unended: recordOf(UNENDED) }
  const triedBefore = session.app
  try {
    if (typeof migrator === 'function')
      await exchange(session, { ...replacement, migrator, reason: `rollback to ${to.version} by ${who}` })
    else await inStage(session, 'publish', () => replacePackage(session, replacement))
    await inStage(session, 'smoke', () => smoke(smokeOptions(session, target, apiKey, to)))
    const record = recordOf({ outcome: 'deployed', runs: true, reason })
    await inStage(session, 'record', () => recordUnderLock(session, target, record))
    return record
  } catch (error) {
    if (session.app !== triedBefore) await recordFailure(session, work, recordOf, error)
    throw error
  }
}

/** In place of the record that says that it has not ended. */
async function recordFailure(
  session: Session,
  { target, to, reason }: RollBack,
  recordOf: (end: Pick<DeploymentRecord, 'outcome' | 'runs' | 'reason'>) => DeploymentRecord,
  error: unknown,
): Promise<void> {
  const why = session.log.scrub(error instanceof Error ? error.message : String(error))
  const record = recordOf({
    outcome: session.stage === 'record' ? 'deployed' : 'failed',
    runs: session.app?.sha256 === to.package.sha256,
    reason: `${reason}; ${session.stage}: ${why}`.slice(0, 500),
  })
  await recordFailed(session, target, record)
}

export function smokeOptions(
  session: Session,
  target: Target,
  apiKey: string,
  { version, build }: SmokeOptions['expected'],
): SmokeOptions {
  const { smokeGoal: goal, smokeProfile: profile } = session.options
  return { ...accessTo(session, target, apiKey), expected: { version, build }, goal, profile }
}
