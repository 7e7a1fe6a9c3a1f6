import { TerminalError } from '../../src/domain/errors.ts'
import { commandLine } from './command-line.ts'
import { recordOf, type Progress } from './progress.ts'
import { lastGood, writeRecord } from './records.ts'
import { rollBack } from './roll-back.ts'
import type { Session } from './session.ts'
import { recoveryOf, STAGES } from './stages.ts'
import type { Target } from './target.ts'

/** After a deployment failed: goes back where that helps, records it, and answers the error that says how things stand. */
export async function recover(session: Session, progress: Progress, error: unknown): Promise<TerminalError> {
  const { stage, log } = session
  const message = log.scrub(error instanceof Error ? error.message : String(error))
  log.say(`✘ ${stage}: ${message}`)
  const { state, runs, isTested } = recoveryOf(stage)
  const back = runs === 'doubtful' ? await goBack(session, progress, `${stage} failed: ${message}`) : undefined
  const told = back?.told ?? state
  const isNew = runs === 'new' || back?.isDone === false
  const outcome = isTested === true ? 'deployed' : 'failed'
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

async function goBack(
  session: Session,
  progress: Progress,
  reason: string,
): Promise<{ isDone: boolean; told: string }> {
  const stays = (told: string) => ({ isDone: false, told })
  if (session.stopping.signal.aborted) return stays(interruptedState(session))
  const { target, records = [], migrator, apiKey, who = 'unknown', made } = progress
  const state = recoveryOf(session.stage).state
  if (target === undefined || migrator === undefined || apiKey === undefined) return stays(state)
  const previous = lastGood(records)
  if (previous !== undefined && previous.package.sha256 === made?.sha256) return stays(sameState(session, target))
  if (previous === undefined) return stays(`${state} There is no other package to go back to; the drain is over.`)
  session.log.say(`  going back to ${previous.version} (${previous.commit.slice(0, 12)})`)
  try {
    await rollBack(session, { target, migrator, apiKey, to: previous, who, reason })
    return {
      isDone: true,
      told: `It went back to ${previous.version} (${previous.commit.slice(0, 12)}), which was tested and runs.`,
    }
  } catch (error) {
    const why = session.log.scrub(error instanceof Error ? error.message : String(error))
    return stays(
      `${state} Going back to ${previous.version} failed at ${session.stage}: ${why} To try that again: ${rollbackOf(session)}`,
    )
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
  const record = recordOf(session, progress, end)
  await writeRecord(session.run, target, record).catch((failure: Error) =>
    session.log.write(`not recorded: ${failure.message}`),
  )
}
