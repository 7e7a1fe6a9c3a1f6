import type { TemplateParameters } from '../parameters/remember.ts'
import type { Session } from '../session.ts'
import { checkModelLife } from './check-model-life.ts'
import { checkModelQuota } from './check-model-quota.ts'
import { checkPostgres } from './check-postgres.ts'
import { checkRegions } from './check-regions.ts'
import { readTemplateValues } from './read-template-values.ts'
import { requireBicep } from './require-bicep.ts'
import { requireProviders } from './require-providers.ts'

/** What Azure would refuse half an hour later. Throws TerminalError. */
export async function checkSubscription(
  session: Session,
  { parameters, isFirst }: { parameters: TemplateParameters; isFirst: boolean },
): Promise<void> {
  await requireBicep(session)
  const values = await readTemplateValues(session, parameters)
  await requireProviders(session, values)
  await checkRegions(session, values)
  await checkModelLife(session, values)
  await checkModelQuota(session, values)
  await checkPostgres(session, values, isFirst)
}
