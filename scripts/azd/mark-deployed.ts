import { TerminalError } from '../../src/domain/errors.ts'
import { REMEMBERED, type TemplateParameters } from '../deploy/parameters/remember.ts'
import type { AzureRest } from './azure-rest.ts'
import { findDeployed, type Place } from './find-deployed.ts'
import { KEPT } from './keep-as-before.ts'
import type { Parameters } from './parameters.ts'
import { readPlace } from './read-place.ts'

/**
 * Marks what azd has just deployed as kept, also where a person had set it: that has had its effect, and what others set later must not be
 * undone by it. Where it can't be read that is said, since what else follows a deployment must not wait for it. Answers what azd has to be
 * given. Throws what `readPlace` throws.
 */
export async function markDeployed(azure: AzureRest, env: NodeJS.ProcessEnv): Promise<Parameters> {
  const place = readPlace(env)
  const fromShell = await readFromShell(azure, place)
  const kept = new URLSearchParams(env[KEPT])
  const marks = kept.toString()
  for (const name of REMEMBERED) {
    const value = env[name]
    if (value !== undefined && value === fromShell[name]) kept.set(name, value)
  }
  return { environment: place.environment, changed: kept.toString() === marks ? {} : { [KEPT]: kept.toString() } }
}

async function readFromShell(azure: AzureRest, place: Place): Promise<TemplateParameters> {
  try {
    return (await findDeployed(azure, place))?.fromShell ?? {}
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error
    azure.note(
      `That this was deployed was not marked, which the next "azd provision" does unless somebody changes it before: ${error.message}`,
    )
    return {}
  }
}
