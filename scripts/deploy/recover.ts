import { TerminalError } from '../../src/domain/errors.ts'
import { commandLine } from './command-line.ts'
import { recordOf, type Progress } from './progress.ts'
import type { Session } from './session.ts'
import { recoveryOf, STAGES } from './stages.ts'
import { isOwn, stateAfter } from './state-after.ts'
import { recordFailed } from './store-record.ts'
import { takeBack } from './take-back.ts'

/** After a deployment failed: goes back where that helps, records it, and answers the error that says how things stand. */
export async function recover(session: Session, progress: Progress, error: unknown): Promise<TerminalError> {
  const { stage, log } = session
  const message = log.scrub(error instanceof Error ? error.message : String(error))
  log.say(`✘ ${stage}: ${message}`)
  const { runs, isTested } = recoveryOf(stage)
  const told =
    runs === 'doubtful' && isOwn(error) && session.app !== undefined
      ? await takeBack(session, progress, error, `${stage} failed: ${message}`)
      : stateAfter(session, error)
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
    return [`This machine is outside the virtual network, or does not get its names (DNS). From one in it: ${inside}`]
  }
  return [
    ...(hint === undefined ? [] : [hint]),
    `Then, or to try again: ${commandLine('deploy', environment, options)}`,
  ]
}

function codeOf(error: unknown): string {
  return error instanceof TerminalError ? error.code : 'deploy_failed'
}

/** Where it came so far that there is something to say, and a place to say it. */
async function recordEnd(session: Session, progress: Progress, end: Parameters<typeof recordOf>[2]): Promise<void> {
  const { target, made } = progress
  // Without the lock, it is somebody else's turn, or storage can't be reached.
  if (target === undefined || made === undefined || session.lock === undefined) return
  await recordFailed(session, target, recordOf(session, progress, end))
}
