import { apiKeyOf } from './api-key.ts'
import { checkUnfinished } from './check-unfinished.ts'
import { publish } from './commands/apps.ts'
import { exchange, openMigrator } from './exchange.ts'
import { requireLock } from './lock.ts'
import { lookAtRunning } from './look-at-running.ts'
import type { AskMigrator, Standing } from './migrator.ts'
import type { Package } from './package/build-package.ts'
import { oldestInUse } from './oldest-in-use.ts'
import { finishPreparing, prepare } from './prepare.ts'
import { recordOf, type Progress } from './progress.ts'
import { provision } from './provision.ts'
import type { DeploymentRecord } from './records.ts'
import { requireNewEnough } from './require-fit.ts'
import { UNENDED } from './replace-package.ts'
import { smokeOptions } from './roll-back.ts'
import { inStage, type Session } from './session.ts'
import { smoke } from './smoke.ts'
import { recordUnderLock } from './store-record.ts'
import { keepPackage } from './stored-package.ts'
import type { Target } from './target.ts'

/** Brings an environment to the sources as they are. Throws TerminalError; `session.stage` says where. */
export async function deploy(session: Session, progress: Progress): Promise<DeploymentRecord> {
  const { made, target: found } = await inStage(session, 'preflight', () => prepare(session, progress))
  const target = found !== undefined && session.options.skipInfra === true ? found : await provision(session, progress)
  progress.target = target
  await inStage(session, 'package', async () => {
    await finishPreparing(session, progress, target)
    await keepPackage(session, target, made)
  })
  const apiKey = await inStage(session, 'api-key', async () => {
    const key = await apiKeyOf(session, target)
    await lookAtRunning(session, target, { apiKey: key, records: progress.history?.records ?? [] })
    return key
  })
  progress.apiKey = apiKey
  const before = await inStage(session, 'migrator', () => replaceMigrator(session, progress, target, made))
  progress.standing = before
  await inStage(session, 'check', () => checkUnfinished(session, (request) => ask(progress, request), before))
  progress.standing = await inStage(session, 'expand', () => expand(session, progress, made, before))
  await release(session, progress, { target, made, apiKey })
  const all = await inStage(session, 'contract', async () => {
    // What it removes can't be taken back, and another run's package may need it.
    await requireLock(session)
    return ask(progress, { action: 'all' })
  })
  tell(session, all)
  progress.standing = all
  const record = recordOf(session, progress, { outcome: 'deployed', runs: true })
  await inStage(session, 'record', () => recordUnderLock(session, target, record))
  return record
}

/** The migrator gets the new package first. Answers where the database stands, which that package has to be new enough for. */
async function replaceMigrator(session: Session, progress: Progress, target: Target, made: Package): Promise<Standing> {
  await requireLock(session)
  await session.run(publish(target, target.migratorApp, made.file))
  progress.migrator = await openMigrator(session, target, { build: made.build })
  const standing = await ask(progress, { action: 'status' })
  requireNewEnough(made, standing)
  return standing
}

/** The migrations that the code of before can go on with. */
async function expand(session: Session, progress: Progress, made: Package, before: Standing): Promise<Standing> {
  await requireLock(session)
  const standing = await ask(progress, { action: 'expand', codeRevision: oldestInUse(progress, made, before) })
  tell(session, standing)
  return standing
}

interface Release {
  target: Target
  made: Package
  apiKey: string
}

/**
 * Cleaning up (`contract`) comes after the smoke test, since a package can go back only while the schema lets it. Where the new code
 * can't run without those migrations, they are part of the exchange, and nothing can go back.
 */
async function release(session: Session, progress: Progress, { target, made, apiKey }: Release): Promise<void> {
  const migrator: AskMigrator = (request, ends) => ask(progress, request, ends)
  const needsAll = (progress.standing?.revision ?? 0) < made.codeRevision
  if (needsAll)
    session.log.say('  the new code needs migrations that the old one can not run with: there is no way back')
  await exchange(session, {
    target,
    migrator,
    file: made.file,
    unended: recordOf(session, progress, UNENDED),
    reason: `deployment of ${made.version} by ${progress.who}`,
    ...(needsAll ? { meanwhile: async () => void (await migrator({ action: 'all' })) } : {}),
  })
  await inStage(session, 'smoke', () => smoke(smokeOptions(session, target, apiKey, made)))
}

async function ask(progress: Progress, ...words: Parameters<AskMigrator>): Promise<Standing> {
  if (progress.migrator === undefined) throw new Error('the migrator is asked before it is there')
  return progress.migrator(...words)
}

function tell({ log }: Session, { done, logins, drift, pending, revision }: Standing): void {
  log.say(
    `  schema revision ${revision}; applied: ${done.join(', ') || 'nothing'}; pending: ${pending.join(', ') || 'nothing'}`,
  )
  for (const { name, refused } of logins)
    if (refused.length > 0) log.say(`  an administrator of Postgres has to run, for ${name}: ${refused.join('; ')};`)
  for (const line of drift) log.say(`  the schema differs from its files: ${line}`)
}
