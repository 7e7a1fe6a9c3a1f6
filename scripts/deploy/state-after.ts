import { TerminalError } from '../../src/domain/errors.ts'
import type { Session } from './session.ts'
import { recoveryOf, STAGES } from './stages.ts'

/** Whether the environment is this run's still: what another one does with it is not taken back. */
export function isOwn(error: unknown): boolean {
  return !(error instanceof TerminalError) || !['lock_taken', 'lock_gone'].includes(error.code)
}

/** How things stand after a stage of a deployment failed, where nothing is done about it. */
export function stateAfter({ stage, app }: Session, error: unknown): string {
  if (!isOwn(error))
    return `${doneUntil(stage, app)} How things stand now is of the other run, and nothing of it was taken back.`
  if (stage !== 'publish') return recoveryOf(stage).state
  if (app === undefined) return 'Nothing was published: the app is as it was, on the expanded schema.'
  return app.sha256 === undefined ? recoveryOf(stage).state : `${PUBLISHED} not tested.`
}

const PUBLISHED = 'The new package was published and'

function doneUntil(stage: Session['stage'], app: Session['app']): string {
  if (app === undefined) return 'This run published nothing.'
  if (app.sha256 === undefined) return recoveryOf('publish').state
  return `${PUBLISHED} ${STAGES.indexOf(stage) > STAGES.indexOf('smoke') ? 'tested' : 'not tested to its end'}.`
}
