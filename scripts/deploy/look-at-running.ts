import { TerminalError } from '../../src/domain/errors.ts'
import { accessTo } from './app-access.ts'
import { patiently } from './patiently.ts'
import { readSecretsAnew } from './read-secrets-anew.ts'
import { awaitReady, readReadiness } from './readiness.ts'
import { runningRecord, type DeploymentRecord } from './records.ts'
import type { Session } from './session.ts'
import { ask, askPatiently, headersOf, type AppAccess } from './smoke-request.ts'
import type { Target } from './target.ts'

/** Readiness answers everybody, so what refuses a wrong key is asked. */
export const KEY_PATH = '/api/v1/missions?limit=1'

/**
 * How what runs already is, before anything is drained for another package: a smoke test would blame that one. An app that is ill is
 * told of; one that does not know its key is made to. @throws TerminalError `api_key_unknown`
 */
export async function lookAtRunning(
  session: Session,
  target: Target,
  { apiKey, records }: { apiKey: string; records: readonly DeploymentRecord[] },
): Promise<void> {
  const access = accessTo(session, target, apiKey)
  // Others (azd) may have published one of which there is no record.
  const isRecorded = runningRecord(records) !== undefined
  if (!isRecorded && (await readReadiness(access)) === undefined) return
  await tellIllness(session, access)
  if (await refusesKey(access)) await makeKeyKnown(session, target, access)
}

async function tellIllness({ log }: Session, access: AppAccess): Promise<void> {
  try {
    await awaitReady(access)
  } catch (error) {
    if (!isSmokeFailure(error)) throw error
    const why = error.message.replace(/^The smoke test failed: /, '')
    log.say(
      `  before this deployment, the app that runs is ill already: ${why} Where that is not its package's fault, the smoke test will fail too.`,
    )
  }
}

async function refusesKey(access: AppAccess): Promise<boolean> {
  try {
    return (await askPatiently(access, KEY_PATH)).status === 401
  } catch (error) {
    // That it is ill was told.
    if (isSmokeFailure(error)) return false
    throw error
  }
}

async function makeKeyKnown(session: Session, target: Target, access: AppAccess): Promise<void> {
  session.log.say(
    '  the app that runs does not take the key that is in the vault: it reads its secrets anew and starts anew',
  )
  await readSecretsAnew(session, target)
  try {
    await patiently(access, async () => {
      const { status } = await ask(access.url, KEY_PATH, headersOf(access.apiKey))
      return status === 401 ? { notYet: `${KEY_PATH} is answered with 401` } : { value: undefined }
    })
  } catch (error) {
    if (isSmokeFailure(error)) throw unknownKey(target)
    throw error
  }
}

function unknownKey({ app, apiKeySecret, vault }: Target): TerminalError {
  return new TerminalError(
    'api_key_unknown',
    `${app} does not take the key ${apiKeySecret} of ${vault}, also after it started anew, so no smoke test could pass.`,
    {
      hint: `In the portal, under Environment variables of ${app}, TASKFORCE_API_KEY says why its reference is not resolved; has anybody set another value there?`,
    },
  )
}

function isSmokeFailure(error: unknown): error is TerminalError {
  return error instanceof TerminalError && error.code === 'smoke_failed'
}
