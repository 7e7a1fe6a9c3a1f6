import { z } from 'zod'
import { TerminalError } from '../../src/domain/errors.ts'
import { showGroupRegion } from './commands/subscription.ts'
import { isNotThere } from './is-not-there.ts'
import { readOutput } from './read-output.ts'
import type { Session } from './session.ts'
import type { Target } from './target.ts'

/** Of a first deployment that names none. */
export const FIRST_REGION = 'westeurope'

/**
 * From here on the session works in the region where the environment is. Azure can't move a group, so another one that is asked for
 * is refused. Where a first deployment came to no end, its group is where that was begun.
 * @throws TerminalError `other_region`
 */
export async function settleRegion(session: Session, target: Target | undefined): Promise<void> {
  const { environment, options, log } = session
  const region = target?.location ?? (await groupRegion(session)) ?? environment.location
  const wanted = options.location
  if (wanted !== undefined && plainRegion(wanted) !== plainRegion(region)) {
    throw new TerminalError(
      'other_region',
      `${environment.name} is in ${region}, and Azure can't move it to ${wanted}.`,
      {
        hint: `Leave --location and AZURE_LOCATION out; or make another one there, with a name of its own: --name ${environment.name}-2`,
      },
    )
  }
  session.environment = { ...environment, location: region }
  log.say(`  region ${region}`)
}

async function groupRegion({ run, environment }: Session): Promise<string | undefined> {
  try {
    return await readOutput(run, showGroupRegion(environment), z.string())
  } catch (error) {
    if (isNotThere(error)) return undefined
    throw error
  }
}

/** Azure writes a region in two ways: West Europe, westeurope. */
export function plainRegion(region: string): string {
  return region.toLowerCase().replaceAll(' ', '')
}
