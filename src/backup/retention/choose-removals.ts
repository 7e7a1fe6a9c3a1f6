import { byAge, type KnownBackup } from '../known-backup.ts'
import type { BackupName } from '../name.ts'

export interface Choice {
  name: BackupName
  why: string
}

export interface RemovalRule {
  backups: readonly KnownBackup[]
  /** The store's clock. */
  now: Date
  retentionDays: number
  /** What this run has just verified; undefined: nothing is removed. */
  justVerified: BackupName | undefined
  /** Verified ones that are kept whatever their age. */
  keepNewest?: number
  mostPerRun?: number
}

export interface Chosen {
  /** Oldest first. */
  remove: (Choice & { backup: KnownBackup })[]
  keep: Choice[]
}

const DAY_MS = 24 * 60 * 60 * 1000

/**
 * Which backups may go, after the verified rule (docs/decisions/0006-backups.md). An operator who finds one night's backup
 * bad wants older ones, and wants them most when nobody has looked for weeks. So:
 *
 * - Only a run that has itself just verified a backup removes any, and at most three: a fault that makes bad files, however
 *   many and for however long, removes nothing; and whatever fools the rule in one run, somebody can see before the next.
 * - A backup goes when it is older than the retention, and seven verified ones are newer. "Older" is against the newest
 *   verified one, by the store's clock (or the store's now, where that is earlier: one that lies in the future makes none
 *   old). "Newer" is by the store's clock and by the name, which is the app's clock: neither clock alone, wrong once or for
 *   weeks, makes the newest ones look old.
 * - Unverified and damaged ones, and manifests without data, go by the same rule and count for nothing: they may be all that
 *   there is of their day, and somebody may still get data out of them.
 * - Data without a manifest was never a backup. It goes after a day: before, its run may be under way (the platform ends
 *   every run within hours), and only where a verified backup is newer.
 * - What is held stays, and says nothing about the others.
 */
export function chooseRemovals({
  backups,
  now,
  retentionDays,
  justVerified,
  keepNewest = 7,
  mostPerRun = 3,
}: RemovalRule): Chosen {
  const verified = backups.filter(({ state }) => state === 'verified')
  if (!verified.some(({ name }) => name === justVerified)) {
    const why = 'nothing is removed in a run that has verified no new backup'
    return { remove: [], keep: backups.map(({ name }) => ({ name, why })) }
  }
  const newest = Math.max(...verified.map(({ createdAt }) => createdAt.getTime()))
  const limits = { verified, keepNewest, retentionDays, from: Math.min(newest, now.getTime()) }
  const remove: Chosen['remove'] = []
  const keep: Choice[] = []
  for (const backup of backups.toSorted(byAge)) {
    const { name } = backup
    const verdict = name === justVerified && backup.hasManifest ? stays('it is this run’s own') : judge(backup, limits)
    if (!verdict.goes) keep.push({ name, why: verdict.why })
    else if (remove.length < mostPerRun) remove.push({ name, why: verdict.why, backup })
    else keep.push({ name, why: `${verdict.why}; at most ${mostPerRun} go in a run` })
  }
  return { remove, keep }
}

interface Limits {
  verified: readonly KnownBackup[]
  keepNewest: number
  retentionDays: number
  /** What ages are measured from, in milliseconds since 1970. */
  from: number
}

interface Verdict {
  goes: boolean
  why: string
}

function judge(backup: KnownBackup, { verified, keepNewest, retentionDays, from }: Limits): Verdict {
  if (backup.held) return stays('it is held')
  const days = (from - backup.createdAt.getTime()) / DAY_MS
  const newer = verified.filter((other) => isNewer(other, backup)).length
  if (!backup.hasManifest) {
    if (days <= 1) return stays('it has no manifest, and its run may be under way')
    if (newer === 0) return stays('it has no manifest, but no verified backup is newer')
    return goes('its run died over a day ago, without a manifest')
  }
  if (days <= retentionDays) return stays(`it is not older than ${retentionDays} days`)
  if (newer < keepNewest) return stays(`only ${newer} verified ones are newer, and ${keepNewest} have to be`)
  const what = backup.state === 'verified' ? '' : ` and ${backup.problem ?? backup.state}`
  return goes(`it is ${Math.floor(days)} days older than the newest verified one${what}`)
}

/** By both clocks. */
function isNewer(other: KnownBackup, backup: KnownBackup): boolean {
  return other.createdAt > backup.createdAt && other.name > backup.name
}

function goes(why: string): Verdict {
  return { goes: true, why }
}

function stays(why: string): Verdict {
  return { goes: false, why }
}
