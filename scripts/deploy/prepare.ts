import { checkMissions } from './check-missions.ts'
import { findDeployed, requireDeployed } from './find-target.ts'
import { takeLock } from './lock.ts'
import { lookBack, tryToLookBack } from './look-back.ts'
import type { Package } from './package/build-package.ts'
import { readFromAzure } from './parameters/read-from-azure.ts'
import { remember } from './parameters/remember.ts'
import { readSource, requireAccount } from './preflight.ts'
import type { Progress } from './progress.ts'
import type { Session } from './session.ts'
import { settleRegion } from './settle-region.ts'
import { checkSubscription } from './subscription/check-subscription.ts'
import type { Target } from './target.ts'
import { whoOf } from './who-of.ts'

export interface Prepared {
  made: Package
  /** Where the environment is, where it was deployed before. */
  target: Target | undefined
}

/** Looks at everything that can be looked at while nothing was changed, and builds the package. Throws TerminalError. */
export async function prepare(session: Session, progress: Progress): Promise<Prepared> {
  const { options, log } = session
  const account = await requireAccount(session)
  progress.who = whoOf(account)
  progress.login = account.user.name
  const deployed = options.skipInfra === true ? await requireDeployed(session) : await findDeployed(session)
  const target = deployed?.target
  await settleRegion(session, target)
  if (target === undefined) progress.history = { records: [], unreadable: [] }
  else await (options.skipInfra === true ? lookBack : tryToLookBack)(session, progress, target)
  if (options.skipInfra !== true) {
    const remembered = remember(session, deployed?.fromShell ?? {})
    const parameters = { ...remembered, ...(await readFromAzure(session, account, target)) }
    progress.parameters = parameters
    await checkSubscription(session, { parameters, isFirst: target === undefined })
  }
  const source = await readSource(session)
  const made = await session.build(source, session.packages)
  progress.made = made
  log.say(`  ${made.blob}, ${(made.bytes / 1e6).toFixed(1)} MB, code revision ${made.codeRevision}`)
  if (target === undefined)
    log.say('  no finished deployment is known yet, so what ran before, if anything did, is not looked at')
  else await checkPrevious(session, progress, target)
  return { made, target }
}

/** With the package that runs, where one is known. Throws TerminalError `check_failed`. */
async function checkPrevious(session: Session, { before, login }: Progress, target: Target): Promise<void> {
  const running = before?.running
  if (running === 'unknown')
    session.log.say(
      '  what both packages would do with unfinished missions was not compared: nothing tells of the one that runs',
    )
  else if (running !== undefined) await checkMissions(session, target, { running, who: login ?? 'unknown' })
}

/** What could not be looked at before the infrastructure; where all of it could, it takes the lock of a first deployment. */
export async function finishPreparing(session: Session, progress: Progress, target: Target): Promise<void> {
  if (progress.history !== undefined) return takeLock(session, target, progress.who ?? 'unknown')
  await lookBack(session, progress, target)
  await checkPrevious(session, progress, target)
}
