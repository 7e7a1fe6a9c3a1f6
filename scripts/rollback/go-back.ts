import { fetchApiKey } from '../deploy/api-key.ts'
import { choosePackage, recordedSchema } from '../deploy/choose-package.ts'
import { openMigrator } from '../deploy/exchange.ts'
import { findRunning } from '../deploy/find-running.ts'
import { requireTarget } from '../deploy/find-target.ts'
import { takeLock } from '../deploy/lock.ts'
import type { AskMigrator, Standing } from '../deploy/migrator.ts'
import { requireAccount } from '../deploy/preflight.ts'
import { readRecords } from '../deploy/read-records.ts'
import type { DeploymentRecord } from '../deploy/records.ts'
import { requireFit } from '../deploy/require-fit.ts'
import { rollBack } from '../deploy/roll-back.ts'
import { inStage, type Session } from '../deploy/session.ts'
import type { Target } from '../deploy/target.ts'
import { whoOf } from '../deploy/who-of.ts'
import { TerminalError } from '../../src/domain/errors.ts'
import { confirm } from '../restore/confirm.ts'

/** What helps where the migrator is what is broken. */
export const WITHOUT = 'Where the migrator can not be repaired now, go back without it: --without-migrator'

/** Chooses the package, asks, and goes back to it. Throws TerminalError; `session.stage` says where. */
export async function goBack(session: Session): Promise<DeploymentRecord> {
  const { environment, options, terminal, log } = session
  const { target, who, history, running } = await inStage(session, 'preflight', async () => {
    const name = whoOf(await requireAccount(session))
    const found = await requireTarget(session)
    await takeLock(session, found, name)
    const read = await readRecords(session, found)
    const seen = await findRunning(session, found, read.records)
    return { who: name, target: found, history: read, running: seen.running }
  })
  const { records } = history
  const to = choosePackage(history, running, options.to)
  session.goal = to
  const apiKey = await fetchApiKey(session, target)
  const reached = options.withoutMigrator === true ? undefined : await reachMigrator(session, target)
  const schema = reached?.standing ?? recordedSchema(records)
  requireFit(to, schema)
  const without =
    'at' in schema
      ? `; nothing is drained, so steps that run are cut off and done again, and the schema is taken to be of revision ${schema.revision}, as on ${schema.at}`
      : ''
  const what = `${environment.name} would go back to ${to.version} (${to.commit.slice(0, 12)}) of ${to.startedAt}${without}`
  if (options.yes === true) log.say(`  ${what}`)
  else await confirm(terminal, what, { ...options, signal: session.stopping.signal })
  const how = [options.to && `to ${options.to}`, reached === undefined && 'without the migrator']
  const reason = ['by hand', ...how.filter((word) => typeof word === 'string')].join(', ')
  return rollBack(session, { target, migrator: reached?.migrator ?? schema, apiKey, to, who, reason, before: records })
}

/** @throws TerminalError of the migrator, whose hint says how to go on without it */
async function reachMigrator(session: Session, target: Target): Promise<{ migrator: AskMigrator; standing: Standing }> {
  try {
    const migrator = await openMigrator(session, target)
    return { migrator, standing: await migrator({ action: 'status' }) }
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error
    const hint = error.hint === undefined ? WITHOUT : `${error.hint}\n${WITHOUT}`
    throw new TerminalError(error.code, error.message, { hint, cause: error })
  }
}
