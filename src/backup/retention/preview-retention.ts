import type { Pool } from 'pg'
import { asRetention } from '../../db/as-retention.ts'
import { listDeleted } from '../../db/queries/delete-tenant.ts'
import { countOld } from '../../db/queries/retention-missions.ts'
import { previewEnded, previewRest, previewTenant } from '../../db/queries/retention-preview.ts'
import { countFreed } from './count-freed.ts'
import type { TenantRemoved } from './finish-removal.ts'
import { listKeepDays } from './keep-days.ts'
import type { EndedReport } from './remove-ended.ts'
import { sweepContents, type ContentsReport } from './sweep-contents.ts'
import type { TimeLeft } from './time-left.ts'

/** What a run would remove, each part as if those before it were done. */
export interface RetentionPreview {
  tenants: TenantRemoved[]
  missions: EndedReport[]
  contents: ContentsReport
  keys: number
  profiles: number
  upkeep: number
}

/** Reads only. Throws what `pg` throws. */
export async function previewRetention(
  db: Pool,
  missionDays: number | undefined,
  time: TimeLeft,
): Promise<RetentionPreview> {
  const tenants: TenantRemoved[] = []
  for (const tenantId of await asRetention(db, listDeleted)) {
    tenants.push({ tenantId, ...(await asRetention(db, (tx) => previewTenant(tx, tenantId))), done: false })
  }
  const { missions, gone } = await previewMissions(db, missionDays)
  const unnamed = await sweepContents(db, time, true)
  const freed = await countFreed(db, time, new Set(gone))
  const contents = { ...unnamed, removed: unnamed.removed + freed.contents, bytes: unnamed.bytes + freed.bytes }
  return { tenants, missions, contents, ...(await asRetention(db, (tx) => previewRest(tx, gone))) }
}

async function previewMissions(
  db: Pool,
  missionDays: number | undefined,
): Promise<{ missions: EndedReport[]; gone: string[] }> {
  const missions: EndedReport[] = []
  const gone: string[] = []
  for (const { tenantId, keep } of await listKeepDays(db, missionDays)) {
    const { counted, would } = await asRetention(db, async (tx) => ({
      counted: await countOld(tx, tenantId, keep),
      would: await previewEnded(tx, tenantId, keep),
    }))
    for (const { status, days } of keep) {
      const keptForBranches = counted.find((row) => row.status === status)?.needed ?? 0
      const { ids, ...removed } = would.find((row) => row.status === status) ?? NONE
      gone.push(...ids)
      missions.push({ tenantId, days, old: removed.missions, keptForBranches, ...removed, status })
    }
  }
  return { missions, gone }
}

const NONE = { ids: [] as string[], missions: 0, events: 0, keys: 0 }
