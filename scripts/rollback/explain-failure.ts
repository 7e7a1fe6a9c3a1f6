import { commandLine } from '../deploy/command-line.ts'
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
export function explainFailure({ stage, environment, options, log, app }: Session, error: unknown): unknown {
  if (!(error instanceof TerminalError)) return error
  const message = log.scrub(error.message)
  const everything = `Everything that was done: ${log.file}`
  if (stage === 'preflight') {
    const state = /Nothing was (?:changed|done)\b/.test(message) ? '' : '\nNothing was changed.'
    return explained(error, `${message}${state}`, [error.hint, everything])
  }
  return explained(error, `The rollback failed at ${stage}: ${message}\n${stateOf(stage, app, error)}`, [
    error.hint,
    stage === 'drain' && isOwn(error) && error.code !== 'drained_by_others' ? WITHOUT : undefined,
    ...(isOwn(error) ? waysOn(environment, options, app) : []),
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

/** Where the package is there already, the same command would start from it, and go one further back. */
function waysOn(environment: Session['environment'], options: Session['options'], app: Session['app']): string[] {
  const { to: _, ...others } = options
  const ways =
    app?.sha256 === undefined
      ? [`To go on from there: ${commandLine('rollback', environment, options)}`]
      : [
          'Whether it works, npm run doctor and a mission say.',
          `To what was there before that package came for the first time: ${commandLine('rollback', environment, others)}`,
        ]
  return [...ways, `Or go forward: ${commandLine('deploy', environment, options)}`]
}

function explained(cause: TerminalError, message: string, hints: (string | undefined)[]): TerminalError {
  const hint = hints.filter((line) => line !== undefined).join('\n')
  return new TerminalError(cause.code, message, { hint, cause })
}
