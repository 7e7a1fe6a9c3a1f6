import { commandLine } from '../deploy/command-line.ts'
import type { Session } from '../deploy/session.ts'
import type { Stage } from '../deploy/stages.ts'
import { TerminalError } from '../../src/domain/errors.ts'
import { WITHOUT } from './go-back.ts'

const UNTOUCHED = 'Nothing was changed.'

const STATES: Partial<Record<Stage, string>> = {
  package: UNTOUCHED,
  drain: UNTOUCHED,
  publish: 'The package may be there or not; nobody is kept from working.',
  resume: 'The package is there; the drain ends by itself within 15 minutes.',
  smoke: 'The package is there and does not do what it should.',
  record: 'The package was published and tested; whether that is recorded, npm run deployments says.',
}

/** The error that says how things stand after a rollback failed. What was published stays; the same command goes on from there. */
export function explainFailure({ stage, environment, options, log, app }: Session, error: unknown): unknown {
  if (!(error instanceof TerminalError)) return error
  const message = log.scrub(error.message)
  const everything = `Everything that was done: ${log.file}`
  if (stage === 'preflight') {
    const state = /Nothing was (?:changed|done)\b/.test(message) ? '' : '\nNothing was changed.'
    return explained(error, `${message}${state}`, [error.hint, everything])
  }
  const state = app === undefined && stage === 'publish' ? UNTOUCHED : STATES[stage]
  return explained(error, `The rollback failed at ${stage}: ${message}\n${state ?? ''}`, [
    error.hint,
    stage === 'drain' && error.code !== 'drained_by_others' ? WITHOUT : undefined,
    `To go on from there: ${commandLine('rollback', environment, options)}; or go forward: ${commandLine('deploy', environment, options)}`,
    everything,
  ])
}

function explained(cause: TerminalError, message: string, hints: (string | undefined)[]): TerminalError {
  const hint = hints.filter((line) => line !== undefined).join('\n')
  return new TerminalError(cause.code, message, { hint, cause })
}
