import { z } from 'zod'
import { TerminalError } from '../../../src/domain/errors.ts'
import { listFlexRegions } from '../commands/subscription.ts'
import type { Session } from '../session.ts'
import { plainRegion } from '../settle-region.ts'
import { readOrTell } from './read-or-tell.ts'
import type { TemplateValues } from './read-template-values.ts'

const regionsSchema = z.array(z.looseObject({ name: z.string() }))

type Regions = z.infer<typeof regionsSchema>

/** Whether apps of this kind are there, over several zones where that is asked for. @throws TerminalError `no_flex_here`, `no_zones_here` */
export async function checkRegions(session: Session, { zoneRedundant }: TemplateValues): Promise<void> {
  const { location } = session.environment
  const all = await readRegions(session, false, 'which regions have Flex Consumption')
  if (all !== undefined) requireAmong(all, location, 'no_flex_here', 'There is no Flex Consumption')
  if (!zoneRedundant) return
  const zonal = await readRegions(session, true, 'which regions have several zones for Flex Consumption')
  if (zonal !== undefined) requireAmong(zonal, location, 'no_zones_here', 'Flex Consumption has no several zones')
}

function readRegions(session: Session, isZonal: boolean, what: string): Promise<Regions | undefined> {
  return readOrTell(session, { command: listFlexRegions(isZonal), schema: regionsSchema, what })
}

function requireAmong(regions: Regions, location: string, code: string, what: string): void {
  const there = regions.map(({ name }) => plainRegion(name))
  if (there.includes(plainRegion(location))) return
  throw new TerminalError(code, `${what} in ${location}.`, {
    hint: `Take another region with --location: ${there.join(', ')}`,
  })
}
