import type { Pool } from 'pg'
import { asRetention } from '../../db/as-retention.ts'
import { DEFAULT_TENANT_ID, markDeleted, type DeletedTenant } from '../../db/queries/delete-tenant.ts'
import { TerminalError } from '../../domain/errors.ts'
import { byAge } from '../known-backup.ts'
import type { BackupName } from '../name.ts'
import type { PreviousSchema } from '../restore/target.ts'
import type { BackupStore } from '../store/store.ts'
import { earlierSchemasWith } from './earlier-schemas.ts'
import { finishRemoval, type TenantRemoved } from './finish-removal.ts'
import { listBackups } from './list-backups.ts'
import { timeLeft } from './time-left.ts'

export interface DeleteTenantRequest {
  /** A pool of the app's login, which may take up `taskforce_retention`. */
  db: Pool
  tenantId: string
  store: BackupStore
  /** Of backups, in days. */
  retentionDays: number
  /** Milliseconds; without it, as long as it takes. What is left then, `retain` removes. */
  mostMs?: number
  signal?: AbortSignal
}

export interface DeleteTenantReport extends TenantRemoved {
  name: string
  deletedAt: string
  backups: HeldInBackups | { error: string }
  /** What restores moved out of the way in this database and still has it, or may have it, until somebody drops it. */
  earlierSchemas: PreviousSchema[]
}

/** What backups still have of a tenant that was removed. A restore of one of these on another server brings it back. */
export interface HeldInBackups {
  /** The newest one that may have it; undefined: none has. */
  lastBackupHolding: BackupName | undefined
  /** When the last one goes (a time, or `never while held`), if a verified backup is made every day: later where some fail, since seven newer ones are needed. */
  goneFromBackupsBy: string
  /** Those that have it and must not be removed. */
  held: BackupName[]
}

const DAY_MS = 24 * 60 * 60 * 1000
/** The verified ones that are kept whatever their age, of one day each. */
const NEWEST_KEPT_DAYS = 7

/**
 * Removes a tenant and everything of it. At once nothing of it moves or writes any more; its rows go in batches. Called
 * again, it goes on where it was interrupted, and `retain` does so by itself. Backups keep what they have until they expire,
 * and schemas that restores moved out of the way until they are dropped; the report says when, and which.
 *
 * Throws TerminalError `tenant_not_found`, and `default_tenant` for the one that the migrations make: requests that name no
 * tenant are for it, and each would fail from then on. What the store throws is only reported: the rows are gone by then.
 */
export async function deleteTenant(request: DeleteTenantRequest): Promise<DeleteTenantReport> {
  const { db, tenantId, mostMs = Infinity, signal } = request
  if (tenantId === DEFAULT_TENANT_ID) {
    throw new TerminalError(
      'default_tenant',
      'The default tenant was not removed: all requests that name no tenant are for it, and would fail from then on.',
      { hint: 'Set a retention of 0 days for it, which removes its missions as they end.' },
    )
  }
  const tenant = await asRetention(db, (tx) => markDeleted(tx, tenantId))
  if (tenant === undefined) {
    throw new TerminalError('tenant_not_found', `Nothing was removed: there is no tenant ${tenantId}.`, {
      hint: 'It may be gone already. Tenants are in the table taskforce.tenants.',
    })
  }
  const removed = await finishRemoval(db, tenantId, timeLeft(mostMs, signal))
  const { name, deletedAt } = tenant
  return {
    ...removed,
    name,
    deletedAt: deletedAt.toISOString(),
    backups: await whatBackupsHold(request, tenant),
    earlierSchemas: await earlierSchemasWith(db, tenantId),
  }
}

async function whatBackupsHold(
  { store, retentionDays }: DeleteTenantRequest,
  tenant: DeletedTenant,
): Promise<DeleteTenantReport['backups']> {
  try {
    const [all, now] = [await listBackups(store), await store.now()]
    // Of one whose manifest can't be read nobody knows from when it is.
    const holding = all.filter(
      ({ manifest }) =>
        manifest === undefined || Date.parse(manifest.contents.snapshotAt) >= tenant.createdAt.getTime(),
    )
    const held = holding.filter((backup) => backup.held).map(({ name }) => name)
    const newest = holding.sort(byAge).at(-1)
    // One that is being made now may have it too, and each is looked at once a day.
    const last = Math.max(now.getTime(), newest?.createdAt.getTime() ?? 0) + DAY_MS
    const gone = new Date(last + Math.max(retentionDays, NEWEST_KEPT_DAYS) * DAY_MS)
    return {
      lastBackupHolding: newest?.name,
      goneFromBackupsBy: held.length > 0 ? 'never while held' : gone.toISOString(),
      held,
    }
  } catch (error) {
    return { error: error instanceof Error ? error.message : 'unknown error' }
  }
}
