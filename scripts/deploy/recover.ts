import { TerminalError } from '../../src/domain/errors.ts'
import { commandLine } from './command-line.ts'
import { requireLock } from './lock.ts'
import { recordOf, type Progress } from './progress.ts'
import { lastGood, startAfter, type DeploymentRecord } from './records.ts'
import { rollBack } from './roll-back.ts'
import type { Session } from './session.ts'
import { recoveryOf, STAGES } from './stages.ts'
import { recordFailed } from './store-record.ts'
import type { Target } from './target.ts'

/** After a deployment failed: goes back where that helps, records it, and answers the error that says how things stand. */
export async function recover(session: Session, progress: Progress, error: unknown): Promise<TerminalError> {
  const { stage, log } = session
  const message = log.scrub(error instanceof Error ? error.message : String(error))
  log.say(`✘ ${stage}: ${message}`)
  const { runs, isTested } = recoveryOf(stage)
  const told =
    runs === 'doubtful' && isOwn(error) && session.app !== undefined
      ? await goBack(session, progress, `${stage} failed: ${message}`)
      : stateOf(session, error)
  const outcome = isTested === true ? 'deployed' : 'failed'
  const isNew = session.app?.sha256 !== undefined && session.app.sha256 === progress.made?.sha256
  await recordEnd(session, progress, { outcome, runs: isNew, reason: `${stage}: ${message}`.slice(0, 500) })
  return new TerminalError(codeOf(error), `The deployment failed at ${stage}: ${message}\n${told}`, {
    hint: [...howToGoOn({ ...session, stage }, error), `Everything that was done: ${log.file}`].join('\n'),
    cause: error,
  })
}

/** Outside the network, what the infrastructure is for is done; the rest is for a machine that gets in. */
function howToGoOn({ stage, environment, options }: Session, error: unknown): string[] {
  const hint = error instanceof TerminalError ? error.hint : undefined
  const isProvisioned = STAGES.indexOf(stage) > STAGES.indexOf('infrastructure') && options.skipInfra !== true
  if (isProvisioned && codeOf(error) === 'network_refused') {
    const inside = commandLine('deploy', environment, { ...options, skipInfra: true })
    return [`This machine is outside the virtual network. From one in it: ${inside}`]
  }
  return [
    ...(hint === undefined ? [] : [hint]),
    `Then, or to try again: ${commandLine('deploy', environment, options)}`,
  ]
}

function codeOf(error: unknown): string {
  return error instanceof TerminalError ? error.code : 'deploy_failed'
}

/** Whether the environment is this run's still: what another one does with it is not taken back. */
function isOwn(error: unknown): boolean {
  return !(error instanceof TerminalError) || !['lock_taken', 'lock_gone'].includes(error.code)
}

function stateOf({ stage, app }: Session, error: unknown): string {
  if (!isOwn(error))
    return `${app === undefined ? 'This run published nothing' : 'The new package was published and tested'}. How things stand now is of the other run, and nothing of it was taken back.`
  if (stage === 'publish' && app === undefined)
    return 'Nothing was published: the app runs the package of before, on the expanded schema.'
  return recoveryOf(stage).state
}

/** Answers how things stand afterwards. */
async function goBack(session: Session, progress: Progress, reason: string): Promise<string> {
  if (session.stopping.signal.aborted) return interruptedState(session)
  const { target, records = [], migrator, apiKey, who = 'unknown', made } = progress
  const { state } = recoveryOf(session.stage)
  if (target === undefined || migrator === undefined || apiKey === undefined) return state
  const previous = lastGood(records)
  if (previous !== undefined && previous.package.sha256 === made?.sha256) return sameState(session, target)
  if (previous === undefined) return `${state} There is no other package to go back to; the drain is over.`
  const name = `${previous.version} (${previous.commit.slice(0, 12)})`
  session.log.say(`  going back to ${name}`)
  try {
    await requireLock(session)
    const before = [{ startedAt: startAfter(progress.startedAt, records) }]
    await rollBack(session, { target, migrator, apiKey, to: previous, who, reason, before })
    return `It went back to ${name}, which was tested and runs.`
  } catch (error) {
    const why = session.log.scrub(error instanceof Error ? error.message : String(error))
    const failed = `Going back to ${previous.version} failed at ${session.stage}: ${why} To try that again: ${rollbackOf(session)}`
    return `${stateAfter(session, previous, state)} ${failed}`
  }
}

/** An older package would do no better where the one that worked does not. */
function sameState(session: Session, { apiUrl }: Target): string {
  const { stage, options } = session
  const same = 'This package was tested and ran here before, so nothing new was published, and nothing was taken back.'
  if (stage !== 'smoke') return `${same} Whichever of its copies is there, it is the same.`
  const changed =
    options.skipInfra === true ? '' : ', what the infrastructure was changed by (the what-if is in the log)'
  const older = `To an older package all the same: ${rollbackOf(session)}`
  return `${same} It is the environment that is ill: look at ${apiUrl}/health/ready (TASKFORCE_API_KEY=KEY npm run doctor -- --url ${apiUrl}), the logs in Application Insights${changed}, and the state of the database, the storage, the vault and the models in the portal. ${older}`
}

/** After going back failed: what was published last is what runs. */
function stateAfter({ app }: Session, { package: { sha256 }, version }: DeploymentRecord, state: string): string {
  if (app?.sha256 === sha256) return `The package of before, ${version}, is there again and runs.`
  return app?.sha256 === undefined ? 'No package could be published: the app runs what it ran before.' : state
}

/** Whoever wants it to end does not want another publication first. */
function interruptedState(session: Session): string {
  const { stage } = session
  const state = stage === 'smoke' ? 'The new package runs, and was not tested to its end.' : recoveryOf(stage).state
  return `${state} Nothing was taken back: ${rollbackOf(session)}`
}

function rollbackOf({ environment, options }: Session): string {
  return commandLine('rollback', environment, options)
}

/** Where it came so far that there is something to say, and a place to say it. */
async function recordEnd(session: Session, progress: Progress, end: Parameters<typeof recordOf>[2]): Promise<void> {
  const { target, made } = progress
  // Without the lock, it is somebody else's turn, or storage can't be reached.
  if (target === undefined || made === undefined || session.lock === undefined) return
  await recordFailed(session, target, recordOf(session, progress, end))
}
