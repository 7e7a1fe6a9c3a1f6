import type { Pool } from 'pg'
import { asRetention } from '../../db/as-retention.ts'
import { listDeleted } from '../../db/queries/delete-tenant.ts'
import { removeOldKeys, removeOldUpkeep, removeUnusedProfiles } from '../../db/queries/retention-rest.ts'
import { finishRemoval, type TenantRemoved } from './finish-removal.ts'
import { listKeepDays } from './keep-days.ts'
import { previewRetention } from './preview-retention.ts'
import { removeEnded, type EndedReport } from './remove-ended.ts'
import { sweepContents, type ContentsReport } from './sweep-contents.ts'
import { timeLeft, type TimeLeft } from './time-left.ts'

export interface RetainRequest {
  /** A pool of the app's login, which may take up `taskforce_retention`. */
  db: Pool
  /** For how many days ended missions are kept where no policy says otherwise; undefined: for ever. */
  missionDays: number | undefined
  /** Missions in one transaction at most. */
  batch?: number
  /** Milliseconds; what is left then waits for the next run. */
  mostMs: number
  signal?: AbortSignal
  /** Only says what would go. */
  dryRun?: boolean
}

/** What a run removed, how much, and why; of a dry run, what a run would. */
export interface RetainReport {
  dryRun: boolean
  /** Whose removal somebody began, and what was left of them. */
  tenants: TenantRemoved[]
  /** By tenant and how they ended; none where they are kept for ever. */
  missions: EndedReport[]
  /** Clients' keys of over 7 days. */
  keys: number
  contents: ContentsReport
  /** That no mission names, but for the newest of each name. */
  profiles: number
  /** Of over 400 days. */
  upkeep: number
  durationsMs: Record<'tenants' | 'missions' | 'keys' | 'contents' | 'rest', number>
  /** There was more to do than time. */
  outOfTime: boolean
}

const KEYS_AT_ONCE = 5_000

/**
 * Takes away what nobody is to keep any longer: first tenants that were removed, then ended missions, keys, files,
 * profiles, and its own old records. In small transactions that lock nothing that a running mission needs; killed at any
 * moment it has done whole missions or nothing of them, and the next run goes on. Throws what `pg` throws.
 */
export async function retain(request: RetainRequest): Promise<RetainReport> {
  const { db, mostMs, signal, dryRun = false } = request
  const time = timeLeft(mostMs, signal)
  const durationsMs = { tenants: 0, missions: 0, keys: 0, contents: 0, rest: 0 }
  const timed = async <T>(part: keyof typeof durationsMs, work: Promise<T>): Promise<T> => {
    const begun = time.elapsed()
    const result = await work
    durationsMs[part] = Math.round(time.elapsed() - begun)
    return result
  }
  if (dryRun) {
    const preview = await previewRetention(db, request.missionDays, time)
    return { dryRun, ...preview, durationsMs, outOfTime: time.isOver() }
  }
  const tenants = await timed('tenants', removeDeleted(db, time))
  const missions = await timed('missions', removeByPolicy(request, time))
  const keys = await timed('keys', removeKeys(db, time))
  const contents = await timed('contents', sweepContents(db, time, false))
  const rest = await timed('rest', removeRest(db))
  return { dryRun, tenants, missions, keys, contents, ...rest, durationsMs, outOfTime: time.isOver() }
}

async function removeDeleted(db: Pool, time: TimeLeft): Promise<TenantRemoved[]> {
  const reports: TenantRemoved[] = []
  for (const tenantId of await asRetention(db, listDeleted)) reports.push(await finishRemoval(db, tenantId, time))
  return reports
}

async function removeByPolicy({ db, missionDays, batch = 200 }: RetainRequest, time: TimeLeft): Promise<EndedReport[]> {
  const reports: EndedReport[] = []
  for (const { tenantId, keep } of await listKeepDays(db, missionDays)) {
    if (!time.isOver()) reports.push(...(await removeEnded({ db, tenantId, keep, batch, time })))
  }
  return reports
}

async function removeKeys(db: Pool, time: TimeLeft): Promise<number> {
  let keys = 0
  for (let some = KEYS_AT_ONCE; some === KEYS_AT_ONCE && !time.isOver(); keys += some) {
    some = await asRetention(db, (tx) => removeOldKeys(tx, KEYS_AT_ONCE))
  }
  return keys
}

async function removeRest(db: Pool): Promise<{ profiles: number; upkeep: number }> {
  return asRetention(db, async (tx) => ({
    profiles: await removeUnusedProfiles(tx),
    upkeep: await removeOldUpkeep(tx),
  }))
}
