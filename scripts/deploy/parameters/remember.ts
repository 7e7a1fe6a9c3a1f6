import type { DeploymentRecord } from '../records.ts'
import type { Session } from '../session.ts'

/** What the parameter files read from the shell and no template can find out. None is a secret: records are for all who deploy. */
export const REMEMBERED = [
  'OPENAI_CAPACITY',
  'ALLOWED_ADDRESSES',
  'ALERT_EMAILS',
  'POSTGRES_SERVER_ID',
  'OPERATOR_GROUP_ID',
] as const

/** Theirs too, and of one run alone; the first is given by `--name`. */
export const OF_ONE_RUN = ['TASKFORCE_ENVIRONMENT_NAME', 'RECOVER_DELETED'] as const

export type TemplateParameters = Record<string, string>

/**
 * The parameters that this shell sets, and of the others those of the newest deployment that has any: whoever deploys next would undo
 * what they don't know of. An empty one is one that was taken back.
 */
export function remember({ env, log }: Session, records: readonly DeploymentRecord[]): TemplateParameters {
  const before = lastParameters(records) ?? {}
  const kept: TemplateParameters = {}
  for (const name of REMEMBERED) {
    const value = env[name] ?? before[name]
    if (value === undefined) continue
    kept[name] = value
    if (env[name] === undefined && value !== '') log.say(`  as before: ${name}=${value} (${name}= takes it back)`)
  }
  return kept
}

/** Rollbacks change no infrastructure, and records of before there were any lack them. */
function lastParameters(records: readonly DeploymentRecord[]): TemplateParameters | undefined {
  return records.find(({ parameters }) => parameters !== undefined)?.parameters
}
