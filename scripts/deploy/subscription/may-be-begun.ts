import { z } from 'zod'
import { groupExists } from '../commands/subscription.ts'
import type { Session } from '../session.ts'
import { readOrTell } from './read-or-tell.ts'

/** Whether the environment has parts already: a first deployment that failed may have made its models. True where that is not known. */
export async function mayBeBegun(session: Session): Promise<boolean> {
  const command = groupExists(session.environment)
  return (await readOrTell(session, { command, schema: z.boolean(), what: 'whether the group is there' })) !== false
}
