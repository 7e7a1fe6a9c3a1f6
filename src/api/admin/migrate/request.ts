import { z } from 'zod'
import type { BackupContext } from '../../../backup/context.ts'
import type { EntraLogin } from '../../../db/entra-logins.ts'
import { text } from '../../parse.ts'

/** As long as a deployment may take; it renews the drain where it needs longer. */
const LONGEST_DRAIN_S = 3_600

const by = text.min(1).max(100)

export const requestSchema = z.discriminatedUnion('action', [
  z.strictObject({ action: z.literal('status') }),
  z.strictObject({ action: z.literal('check'), after: z.guid('must be the id of a mission').optional() }),
  z.strictObject({ action: z.literal('expand'), codeRevision: z.int().min(0) }),
  z.strictObject({ action: z.literal('all') }),
  z.strictObject({
    action: z.literal('drain'),
    by,
    reason: text.min(1).max(500),
    seconds: z.number().positive().max(LONGEST_DRAIN_S),
  }),
  z.strictObject({ action: z.literal('resume'), by }),
])

export type MigrateRequest = z.infer<typeof requestSchema>
/** Where the actions are done. */
export type Database = Pick<BackupContext, 'databaseUrl' | 'connect'>

/**
 * The login that migrations prepare: the one of the migrator's own configuration, never of a request, whose key more people read
 * than may let somebody in. Undefined: none.
 */
export type AppLogin = EntraLogin | undefined
