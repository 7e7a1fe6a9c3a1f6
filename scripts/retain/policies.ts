import { withClient } from '../../src/db/migrate/connect.ts'
import { clearPolicy, listPolicies, setPolicy } from '../../src/db/queries/retention-policies.ts'
import type { EndedStatus } from '../../src/db/queries/retention-missions.ts'
import type { Context, SharedOptions } from '../backup/context.ts'
import { open } from '../backup/open.ts'
import { EXIT } from '../backup/run-words.ts'
import { requireTenant } from './require-tenant.ts'

export async function showPolicies(context: Context, options: SharedOptions): Promise<number> {
  const { databaseUrl, connect, missionDays } = open(options, context)
  const policies = await withClient(databaseUrl, listPolicies, connect)
  const other = missionDays === undefined ? 'for ever' : `for ${missionDays} days`
  if (options.json) context.terminal.json({ policies, missionDays: missionDays ?? null })
  else
    context.terminal.print([
      ...policies.map(({ tenantId, status, keepDays }) => `${tenantId}  ${status.padEnd(9)}  ${keepDays} days`),
      `All others are kept ${other} (MISSION_RETENTION_DAYS).`,
    ])
  return EXIT.done
}

/** Needs the owner's login: how long data is kept is nothing that the app may decide. */
export async function changePolicy(
  context: Context,
  options: SharedOptions & { tenant: string },
  status: EndedStatus,
  keepDays: number | undefined,
): Promise<number> {
  const { databaseUrl, connect } = open(options, context)
  const tenantId = options.tenant
  await withClient(
    databaseUrl,
    async (client) => {
      await requireTenant(client, tenantId)
      if (keepDays === undefined) await clearPolicy(client, tenantId, status)
      else await setPolicy(client, { tenantId, status, keepDays })
    },
    connect,
  )
  return showPolicies(context, options)
}
