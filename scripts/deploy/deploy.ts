import { confirm } from '../restore/confirm.ts'
import { apiKeyOf } from './api-key.ts'
import { budgetStart } from './budget-start.ts'
import { checkMissions } from './check-missions.ts'
import { publish } from './commands/apps.ts'
import { createInfrastructure, whatIf } from './commands/subscription.ts'
import { exchange, openMigrator } from './exchange.ts'
import { findTarget, requireTarget } from './find-target.ts'
import type { AskMigrator, Standing } from './migrator.ts'
import type { Package } from './package/build-package.ts'
import { checkSubscription, readSource, requireAccount } from './preflight.ts'
import { readOutput } from './read-output.ts'
import { lastGood, readRecords, writeRecord, type DeploymentRecord } from './records.ts'
import { loginsOf } from './requests.ts'
import { smokeOptions } from './roll-back.ts'
import { inStage, type Session } from './session.ts'
import { smoke } from './smoke.ts'
import { keepPackage } from './stored-package.ts'
import { outputsSchema, readTarget, type Target } from './target.ts'

/** How far a deployment came, for whoever has to clean up after it. */
export interface Progress {
  startedAt: string
  who?: string
  /** For the commands that read the templates' parameters. */
  parameters?: Record<string, string>
  /** Of the deployments before, the newest first. */
  records?: DeploymentRecord[]
  /** The newest of them that was tested. */
  previous?: DeploymentRecord | undefined
  made?: Package
  target?: Target
  migrator?: AskMigrator
  apiKey?: string
  standing?: Standing
}

/** Brings an environment to the sources as they are. Throws TerminalError; `session.stage` says where. */
export async function deploy(session: Session, progress: Progress): Promise<DeploymentRecord> {
  const made = await inStage(session, 'preflight', () => preflight(session, progress))
  const target = await provision(session, progress)
  progress.target = target
  await inStage(session, 'package', () => keepPackage(session, target, made))
  const apiKey = await inStage(session, 'api-key', () => apiKeyOf(session, target))
  progress.apiKey = apiKey
  progress.standing = await inStage(session, 'migrator', () => expand(session, progress, target, made))
  await release(session, progress, { target, made, apiKey })
  const all = await inStage(session, 'contract', () => ask(progress, { action: 'all', logins: loginsOf(target) }))
  tell(session, all)
  progress.standing = all
  const record = recordOf(session, progress, { outcome: 'deployed', runs: true })
  await inStage(session, 'record', () => writeRecord(session.run, target, record))
  return record
}

async function preflight(session: Session, progress: Progress): Promise<Package> {
  const account = await requireAccount(session)
  progress.who = account.user.name
  if (session.options.skipInfra !== true) {
    await checkSubscription(session)
    progress.parameters = await budgetStart(session)
  }
  const source = await readSource(session)
  const made = await session.build(source, session.packages)
  progress.made = made
  session.log.say(`  ${made.blob}, ${(made.bytes / 1e6).toFixed(1)} MB, code revision ${made.codeRevision}`)
  const target = await findTarget(session.run, session.environment)
  if (target === undefined) {
    session.log.say('  no finished deployment is known yet, so what ran before, if anything did, is not looked at')
    return made
  }
  progress.records = await readRecords(session.run, target, session.environment)
  progress.previous = lastGood(progress.records)
  if (progress.previous !== undefined) await checkMissions(session, target, progress.previous)
  return made
}

async function provision(session: Session, { parameters: env = {} }: Progress): Promise<Target> {
  const { environment, run, options, terminal } = session
  if (options.skipInfra === true) {
    session.stage = 'infrastructure'
    return requireTarget(run, environment)
  }
  await inStage(session, 'what-if', async () => {
    await run({ ...whatIf(environment), env })
    if (options.yes !== true) await confirm(terminal, `${environment.name} would be changed as shown above`, options)
  })
  return inStage(session, 'infrastructure', async () =>
    readTarget(await readOutput(run, { ...createInfrastructure(environment), env }, outputsSchema)),
  )
}

/** The migrator gets the new package first, and with it the migrations that the code of before can go on with. */
async function expand(session: Session, progress: Progress, target: Target, made: Package): Promise<Standing> {
  await session.run(publish(target, target.migratorApp, made.file))
  const { version, codeRevision } = made
  progress.migrator = await openMigrator(session, target, { version, codeRevision })
  const before = await ask(progress, { action: 'status' })
  const running = progress.previous?.codeRevision ?? unknownCode(before, made)
  const standing = await ask(progress, { action: 'expand', codeRevision: running, logins: loginsOf(target) })
  tell(session, standing)
  return standing
}

/** Of an environment that others deployed to (azd): the oldest code that works with the schema may be what runs. */
function unknownCode({ revision, minCode }: Standing, made: Package): number {
  return revision === 0 ? made.codeRevision : minCode
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
  const migrator: AskMigrator = (request) => ask(progress, request)
  const needsAll = (progress.standing?.revision ?? 0) < made.codeRevision
  if (needsAll)
    session.log.say('  the new code needs migrations that the old one can not run with: there is no way back')
  await exchange(session, {
    target,
    migrator,
    file: made.file,
    reason: `deployment of ${made.version} by ${progress.who}`,
    ...(needsAll ? { meanwhile: async () => void (await migrator({ action: 'all', logins: loginsOf(target) })) } : {}),
  })
  await inStage(session, 'smoke', () => smoke(smokeOptions(session, target, apiKey, made.version)))
}

async function ask(progress: Progress, request: Parameters<AskMigrator>[0]): Promise<Standing> {
  if (progress.migrator === undefined) throw new Error('the migrator is asked before it is there')
  return progress.migrator(request)
}

function tell({ log }: Session, { done, logins, drift, pending, revision }: Standing): void {
  log.say(
    `  schema revision ${revision}; applied: ${done.join(', ') || 'nothing'}; pending: ${pending.join(', ') || 'nothing'}`,
  )
  for (const { name, refused } of logins)
    if (refused.length > 0) log.say(`  an administrator of Postgres has to run, for ${name}: ${refused.join('; ')};`)
  for (const line of drift) log.say(`  the schema differs from its files: ${line}`)
}

/** What is kept of this deployment. Throws where there was no package yet. */
export function recordOf(
  session: Session,
  { startedAt, who, made, standing }: Progress,
  end: Pick<DeploymentRecord, 'outcome' | 'runs' | 'reason'>,
): DeploymentRecord {
  if (made === undefined) throw new Error('nothing is recorded before there is a package')
  const { version, commit, codeRevision, blob, sha256, bytes } = made
  return {
    environment: session.environment.name,
    kind: 'deploy',
    version,
    commit,
    codeRevision,
    schema: standing === undefined ? null : { revision: standing.revision, minCode: standing.minCode },
    package: { blob, sha256, bytes },
    who: who ?? 'unknown',
    startedAt,
    endedAt: session.now().toISOString(),
    ...end,
  }
}
