import { z } from 'zod'
import type { BackupContext } from '../../../backup/context.ts'
import { text } from '../../parse.ts'

/** As long as a deployment may take; it renews the drain where it needs longer. */
const LONGEST_DRAIN_S = 3_600

const loginsSchema = z
  .array(z.strictObject({ name: text.min(1).max(63), principalId: z.guid('must be an object id, which is a GUID') }))
  .max(10)
  .default([])
const by = text.min(1).max(100)

export const requestSchema = z.discriminatedUnion('action', [
  z.strictObject({ action: z.literal('status') }),
  z.strictObject({ action: z.literal('check'), after: z.guid('must be the id of a mission').optional() }),
  z.strictObject({ action: z.literal('expand'), codeRevision: z.int().min(0), logins: loginsSchema }),
  z.strictObject({ action: z.literal('all'), logins: loginsSchema }),
  z.strictObject({
    action: z.literal('drain'),
    by,
    reason: text.min(1).max(500),
    seconds: z.number().positive().max(LONGEST_DRAIN_S),
  }),
  z.strictObject({ action: z.literal('resume'), by }),
])

export type MigrateRequest = z.infer<typeof requestSchema>
export type Logins = z.infer<typeof loginsSchema>
/** Where the actions are done. */
export type Database = Pick<BackupContext, 'databaseUrl' | 'connect'>
