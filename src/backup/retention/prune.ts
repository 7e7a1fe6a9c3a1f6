import { TerminalError } from '../../domain/errors.ts'
import { lastStored, type KnownBackup } from '../known-backup.ts'
import type { BackupName } from '../name.ts'
import type { BackupStore } from '../store/store.ts'
import { chooseRemovals, type Choice } from './choose-removals.ts'
import { listBackups } from './list-backups.ts'
import { removeBackup } from './remove-backup.ts'

export interface PruneRequest {
  store: BackupStore
  /** A second store, with copies of the same backups: it is pruned by the same rule, from what is there. */
  offsite?: BackupStore
  /** Days. */
  retentionDays: number
  /** What this run has verified, in each store by itself. By hand: the newest verified one there, if it is new enough. */
  justVerified: BackupName | undefined
  /** Only says what would go. */
  dryRun?: boolean
  byHand?: boolean
}

export interface StorePruned {
  place: string
  removed: Choice[]
  /** Of a dry run. */
  wouldRemove: Choice[]
  /** Backups that the store would not let go, though its list did not say so: a normal answer. */
  held: Choice[]
  /** How many stay, by why. */
  kept: Record<string, number>
  bytesFreed: number
}

export interface PruneReport extends StorePruned {
  offsite?: StorePruned | { place: string; error: string }
}

const HOUR_MS = 60 * 60 * 1000
/** A daily backup and two hours: what readiness calls missing, too. */
const TOO_OLD_HOURS = 26

/**
 * Removes what the rule of `chooseRemovals` lets go, and reports. What a listing or a removal throws ends it, with all that
 * was not removed yet still whole; the offsite store's errors are only reported, since the first store is done then.
 * Throws TerminalError `newest_backup_too_old` by hand, where no verified backup of the last 26 hours is there: it would
 * remove old ones while nothing new comes (exit code 3 of the command).
 */
export async function pruneBackups(request: PruneRequest): Promise<PruneReport> {
  const { store, offsite } = request
  const report = await pruneStore(store, request)
  if (offsite === undefined) return report
  try {
    return { ...report, offsite: await pruneStore(offsite, request) }
  } catch (error) {
    return {
      ...report,
      offsite: { place: offsite.place, error: error instanceof Error ? error.message : 'unknown error' },
    }
  }
}

async function pruneStore(store: BackupStore, request: PruneRequest): Promise<StorePruned> {
  const { retentionDays, dryRun = false, byHand = false } = request
  const now = await store.now()
  const backups = await listBackups(store)
  const justVerified = byHand ? recentlyVerified(backups, now, store.place) : request.justVerified
  const { remove, keep } = chooseRemovals({ backups, now, retentionDays, justVerified })
  const report: StorePruned = { place: store.place, removed: [], wouldRemove: [], held: [], kept: {}, bytesFreed: 0 }
  const count = (why: string) => (report.kept[why] = (report.kept[why] ?? 0) + 1)
  for (const { why } of keep) count(why)
  for (const { backup, name, why } of remove) {
    if (dryRun) {
      report.wouldRemove.push({ name, why })
      continue
    }
    const result = await removeBackup(store, backup)
    if (result === 'removed') {
      report.removed.push({ name, why })
      report.bytesFreed += backup.bytes
    } else if (result === 'held') report.held.push({ name, why })
    else count('its manifest appeared since it was listed')
  }
  return report
}

function recentlyVerified(backups: readonly KnownBackup[], now: Date, place: string): BackupName {
  const newest = lastStored(backups)
  const hours = newest === undefined ? Infinity : (now.getTime() - newest.createdAt.getTime()) / HOUR_MS
  // One that is hours ahead of its own store's clock says nothing about when it was made.
  if (newest !== undefined && Math.abs(hours) <= TOO_OLD_HOURS) return newest.name
  const found =
    newest === undefined
      ? 'there is no verified backup'
      : `the newest verified backup, ${newest.name}, is ${Math.floor(Math.abs(hours))} hours ${hours < 0 ? 'ahead of its clock' : 'old'}`
  throw new TerminalError(
    'newest_backup_too_old',
    `Nothing was removed: in ${place} ${found}. Old backups may be the only good ones while no new one is made.`,
    {
      hint: 'Take one first (npm run backup -- now), and look at why there is none of the last night (npm run backup -- list).',
    },
  )
}
