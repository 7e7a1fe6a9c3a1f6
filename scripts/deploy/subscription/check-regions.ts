import { z } from 'zod'
import { TerminalError } from '../../../src/domain/errors.ts'
import { listFlexRegions } from '../commands/subscription.ts'
import { readOutput } from '../read-output.ts'
import type { Session } from '../session.ts'
import { plainRegion } from '../settle-region.ts'
import type { TemplateValues } from './read-template-values.ts'

const regionsSchema = z.array(z.looseObject({ name: z.string() }))

/** Whether apps of this kind are there, over several zones where that is asked for. @throws TerminalError `no_flex_here`, `no_zones_here` */
export async function checkRegions(session: Session, { zoneRedundant }: TemplateValues): Promise<void> {
  const { run, environment, log } = session
  const all = await readOutput(run, listFlexRegions(false), regionsSchema)
  requireAmong(all, environment.location, 'no_flex_here', 'There is no Flex Consumption')
  if (!zoneRedundant) return
  const zonal = await readOutput(run, listFlexRegions(true), regionsSchema).catch((error: unknown) => {
    if (!(error instanceof TerminalError)) throw error
    log.say('  which regions have several zones for Flex Consumption could not be read')
    return undefined
  })
  if (zonal !== undefined)
    requireAmong(zonal, environment.location, 'no_zones_here', 'Flex Consumption has no several zones')
}

function requireAmong(regions: z.infer<typeof regionsSchema>, location: string, code: string, what: string): void {
  const there = regions.map(({ name }) => plainRegion(name))
  if (there.includes(plainRegion(location))) return
  throw new TerminalError(code, `${what} in ${location}.`, {
    hint: `Take another region with --location: ${there.join(', ')}`,
  })
}
