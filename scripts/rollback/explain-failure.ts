import { commandLine } from '../deploy/command-line.ts'
import { wordOfPackage } from '../deploy/records.ts'
import type { Session } from '../deploy/session.ts'
import type { Stage } from '../deploy/stages.ts'
import { isOwn } from '../deploy/state-after.ts'
import { TerminalError } from '../../src/domain/errors.ts'
import { WITHOUT } from './go-back.ts'

const UNTOUCHED = 'Nothing was changed.'

const STATES: Partial<Record<Stage, string>> = {
  package: UNTOUCHED,
  drain: UNTOUCHED,
  publish: 'The package may be there or not; nobody is kept from working.',
  resume: 'The package is there and was not tested; the drain ends by itself within 15 minutes.',
  smoke: 'The package is there and does not do what it should.',
  record: 'The package was published and tested; whether that is recorded, npm run deployments says.',
}

/** The error that says how things stand after a rollback failed. What was published stays. */
export function explainFailure(session: Session, cause: unknown): TerminalError {
  const { stage, log, app } = session
  const error = cause instanceof TerminalError ? cause : new TerminalError('rollback_failed', String(cause), { cause })
  const message = log.scrub(error.message)
  const everything = `Everything that was done: ${log.file}`
  if (stage === 'preflight') {
    const state = /Nothing was (?:changed|done)\b/.test(message) ? '' : '\nNothing was changed.'
    return explained(error, `${message}${state}`, [error.hint, everything])
  }
  return explained(error, `The rollback failed at ${stage}: ${message}\n${stateOf(stage, app, error)}`, [
    error.hint,
    stage === 'drain' && isOwn(error) && error.code !== 'drained_by_others' ? WITHOUT : undefined,
    ...(isOwn(error) ? waysOn(session) : []),
    everything,
  ])
}

function stateOf(stage: Stage, app: Session['app'], error: TerminalError): string {
  const isPublished = app?.sha256 !== undefined
  if (!isOwn(error)) {
    const done = isPublished ? 'The package was published. ' : app === undefined ? 'This run published nothing. ' : ''
    return `${done}How things stand now is of the other run.`
  }
  if (stage === 'publish' && app === undefined) return UNTOUCHED
  if (stage === 'publish' && isPublished) return 'The package is there and was not tested.'
  if (stage === 'smoke' && error.code === 'interrupted') return 'The package is there and was not tested to its end.'
  return STATES[stage] ?? ''
}

/**
 * Without the name of a package a rollback starts from what runs by then, and goes one further back; and whether the package is there is
 * not certain once it was sent.
 */
function waysOn({ environment, options, app, goal }: Session): string[] {
  const { to: _, ...others } = options
  const forward = `Or go forward: ${commandLine('deploy', environment, options)}`
  if (app?.sha256 !== undefined)
    return [
      'Whether it works, npm run doctor and a mission say.',
      `To what was there before that package came for the first time: ${commandLine('rollback', environment, others)}`,
      forward,
    ]
  const same = goal === undefined ? options : { ...options, to: wordOfPackage(goal) }
  return [`To go on from there: ${commandLine('rollback', environment, same)}`, forward]
}

function explained(cause: TerminalError, message: string, hints: (string | undefined)[]): TerminalError {
  const hint = hints.filter((line) => line !== undefined).join('\n')
  return new TerminalError(cause.code, message, { hint, cause })
}
