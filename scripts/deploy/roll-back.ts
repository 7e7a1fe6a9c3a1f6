import type { SchemaRevision } from '../../src/db/schema-revision.ts'
import { accessTo } from './app-access.ts'
import { requireFit } from './choose-package.ts'
import { publish } from './commands/apps.ts'
import { exchange } from './exchange.ts'
import type { AskMigrator } from './migrator.ts'
import { writeRecord, type DeploymentRecord } from './records.ts'
import { inStage, type Session } from './session.ts'
import type { SmokeOptions } from './smoke-request.ts'
import { smoke } from './smoke.ts'
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
}

/** Publishes the package of an earlier deployment where it can run on the schema, tests and records it. Throws TerminalError. */
export async function rollBack(session: Session, work: RollBack): Promise<DeploymentRecord> {
  const { target, migrator, apiKey, to, who, reason } = work
  const startedAt = session.now().toISOString()
  const schema = typeof migrator === 'function' ? await migrator({ action: 'status' }) : migrator
  requireFit(to, schema)
  const file = await inStage(session, 'package', () => bringPackage(session, target, to))
  if (typeof migrator === 'function')
    await exchange(session, { target, migrator, file, reason: `rollback to ${to.version} by ${who}` })
  else await inStage(session, 'publish', () => session.run(publish(target, target.app, file)))
  await inStage(session, 'smoke', () => smoke(smokeOptions(session, target, apiKey, to)))
  const { revision, minCode } = schema
  const record: DeploymentRecord = {
    ...to,
    kind: 'rollback',
    outcome: 'deployed',
    runs: true,
    schema: { revision, minCode },
    who,
    startedAt,
    endedAt: session.now().toISOString(),
    reason,
  }
  await inStage(session, 'record', () => writeRecord(session.run, target, record))
  return record
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
