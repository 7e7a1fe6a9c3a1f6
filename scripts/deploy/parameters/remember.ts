import type { Session } from '../session.ts'

/** Where parameters are set, and who is told of those that are not. */
export interface Shell {
  env: Session['env']
  log: Pick<Session['log'], 'say'>
}

/** What the parameter files read from the shell and no template can find out. None is a secret: whoever reads the group may see them. */
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
 * The parameters that this shell sets, and of the others those that the infrastructure was made with: whoever deploys next would undo
 * what they don't know of. An empty one is none, or was taken back.
 * @param before what the newest deployment that came to its end says of its shell
 * @param takeBack how one of them is emptied
 */
export function remember(
  { env, log }: Shell,
  before: TemplateParameters,
  takeBack = (name: string) => `${name}=`,
): TemplateParameters {
  const kept: TemplateParameters = {}
  for (const name of REMEMBERED) {
    const value = env[name] ?? before[name]
    if (value === undefined) continue
    kept[name] = value
    if (env[name] === undefined && value !== '')
      log.say(`  as before: ${name}=${value} (${takeBack(name)} takes it back)`)
  }
  return kept
}
