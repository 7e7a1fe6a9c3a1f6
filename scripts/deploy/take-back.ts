import { TerminalError } from '../../src/domain/errors.ts'
import { chooseReturn, type Return } from './choose-return.ts'
import { commandLine } from './command-line.ts'
import { isRunning } from './find-running.ts'
import { requireLock } from './lock.ts'
import type { Progress } from './progress.ts'
import { nameOf, startAfter, wordOfPackage, type DeploymentRecord } from './records.ts'
import { rollBack, type RollBack } from './roll-back.ts'
import type { Session } from './session.ts'
import { isOwn, stateAfter } from './state-after.ts'

/** Goes back after a deployment failed, where there is a package to go back to. Answers how things stand afterwards. */
export async function takeBack(session: Session, progress: Progress, error: unknown, reason: string): Promise<string> {
  const state = stateAfter(session, error)
  const chosen = chooseReturn(progress)
  if (session.stopping.signal.aborted) return interrupted(session, state, chosen)
  const { target, migrator, apiKey, who = 'unknown', history } = progress
  if (target === undefined || migrator === undefined || apiKey === undefined) return state
  if ('none' in chosen) return `${state} There is no other package to go back to; the drain is over.`
  if ('same' in chosen) return sameState(session, progress, chosen.same)
  if ('newest' in chosen) return unclear(session, state, chosen)
  const before = [{ startedAt: startAfter(progress.startedAt, history?.records ?? []) }]
  return tryTo(session, state, { target, migrator, apiKey, to: chosen.to, who, reason, before })
}

async function tryTo(session: Session, state: string, work: RollBack): Promise<string> {
  const { to } = work
  session.log.say(`  going back to ${nameOf(to)}`)
  try {
    await requireLock(session)
    await rollBack(session, work)
    return `It went back to ${nameOf(to)}, which was tested and runs.`
  } catch (error) {
    const why = session.log.scrub(error instanceof Error ? error.message : String(error))
    const failed = `${stateSince(session, to, state)} Going back to ${to.version} failed at ${session.stage}: ${why}`
    if (!isOwn(error)) return `${failed} Nothing more was taken back: the environment is the other run's.`
    if (error instanceof TerminalError && error.code === 'package_does_not_fit')
      return `${failed} The way out is forward, with a corrected version.`
    return isThere(session, to)
      ? `${failed} Whether it works, npm run doctor -- --url ${work.target.apiUrl} and a mission say; both packages failing is a sign that the environment is ill.`
      : `${failed} To try that again: ${rollbackTo(session, to)}`
  }
}

function isThere({ app }: Session, { package: { sha256 } }: DeploymentRecord): boolean {
  return app?.sha256 === sha256 && app.isInDoubt !== true
}

/** What was published last is what runs; and az can fail after the platform has taken a package. */
function stateSince(session: Session, to: DeploymentRecord, state: string): string {
  const { app, stage } = session
  const { version } = to
  if (isThere(session, to))
    return `The package of before, ${version}, is there again, and ${stage === 'smoke' ? 'its smoke test does not pass either' : 'was not tested'}.`
  if (app?.isInDoubt !== true) return state
  const without =
    app.sha256 === undefined
      ? 'No package is known to have been published: the app should run what it ran before'
      : `The package of before, ${version}, may be there again or not`
  return `${without}, and npm run deployments says what it answers.`
}

/** An older package would do no better where the one that worked does not. */
function sameState(session: Session, progress: Progress, made: DeploymentRecord): string {
  const { stage, options } = session
  const url = progress.target?.apiUrl
  const same = isRunning(made, progress.before?.running)
    ? 'This package was tested and ran here before, so nothing new was published, and nothing was taken back.'
    : 'This package was tested here before, and nothing that was is newer, so nothing was taken back.'
  if (stage !== 'smoke') return `${same} Whichever of its copies is there, it is the same.`
  const changed =
    options.skipInfra === true ? '' : ', what the infrastructure was changed by (the what-if is in the log)'
  const older = `To the one before it all the same: ${rollbackOf(session)}`
  return `${same} It is the environment that is ill: look at ${url}/health/ready (TASKFORCE_API_KEY=KEY npm run doctor -- --url ${url}), the logs in Application Insights${changed}, and the state of the database, the storage, the vault and the models in the portal. ${older}`
}

/** Of what can't be read, one may be of the package that ran: going back unasked could go one too far. */
function unclear(
  session: Session,
  state: string,
  { newest, unreadable }: { newest: DeploymentRecord; unreadable: string[] },
): string {
  return `${state} Nothing was taken back by itself, since records that may be newer than the one to go to can't be read (${unreadable.join(', ')}). To ${nameOf(newest)}: ${rollbackTo(session, newest)}`
}

/** Whoever wants it to end does not want another publication first. */
function interrupted(session: Session, failed: string, chosen: Return): string {
  const { stage } = session
  const state = stage === 'smoke' ? 'The new package runs, and was not tested to its end.' : failed
  return 'to' in chosen
    ? `${state} Nothing was taken back. To ${nameOf(chosen.to)}: ${rollbackTo(session, chosen.to)}`
    : `${state} Nothing was taken back.`
}

/** By its name: without one, a rollback starts from what runs by then, and goes one further back. */
function rollbackTo({ environment, options }: Session, to: DeploymentRecord): string {
  return commandLine('rollback', environment, { ...options, to: wordOfPackage(to) })
}

function rollbackOf({ environment, options }: Session): string {
  return commandLine('rollback', environment, options)
}
