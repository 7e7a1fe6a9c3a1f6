import { remember, type TemplateParameters } from '../deploy/parameters/remember.ts'

/** In azd's environment: what follows the infrastructure, since this hook has put it there or it was deployed; parameters of an address. */
export const KEPT = 'TASKFORCE_KEPT'

export interface Azd {
  environment: string
  env: NodeJS.ProcessEnv
  note(text: string): void
}

/**
 * What azd's environment lacks, as the infrastructure was made with it: azd would undo what it does not know of. What this hook kept there
 * follows the infrastructure from then on, since somebody else may have changed it meanwhile; what a person has set wins until it is
 * deployed, and is told of where it differs, and then follows too. Answers what azd has to be given.
 * @param before what the newest deployment that came to its end says of its shell
 */
export function keepAsBefore({ environment, env, note }: Azd, before: TemplateParameters): TemplateParameters {
  const kept = new URLSearchParams(env[KEPT])
  const own = Object.fromEntries(
    Object.entries(env).filter(([name, value]) => kept.get(name) !== value && before[name] !== value),
  )
  const values = remember(
    { env: own, log: { say: note } },
    before,
    (name) => `azd env set ${name} "" --environment ${environment}`,
  )
  for (const [name, value] of Object.entries(values)) {
    const other = before[name] ?? ''
    if (value !== other)
      note(`  ${name} is "${value}" in azd's environment, and was "${other}" in the deployment before`)
  }
  const byHook = Object.entries({ ...Object.fromEntries(kept), ...values }).filter(
    ([name, value]) => own[name] === undefined && (value !== '' || env[name] !== undefined),
  )
  const marks = new URLSearchParams(byHook).toString()
  const changed = byHook.filter(([name, value]) => env[name] !== value)
  // The mark first: a value without it would pass for a person's.
  return { ...(marks === kept.toString() ? {} : { [KEPT]: marks }), ...Object.fromEntries(changed) }
}
