import type { EngineDb } from '../connection.ts'

export interface Claim {
  missionId: string
  tenantId: string
  epoch: number
  profileHash: string
  inbox: number
  crashes: number
  /** The database's clock at the claim, milliseconds since 1970. */
  now: number
}

/**
 * Takes the lease of the mission that should move next, if any: highest priority first, then the one that waited longest.
 * A mission is free when it has no owner or its owner's row has expired; a new epoch fences the old owner off.
 * Taking over from a dead owner that recorded nothing since its own claim counts as a crash.
 *
 * The statement may reach a row that another claim changed after this one's snapshot was taken. Postgres then looks at the
 * conditions again with the row's new columns, but with all other rows as they were (EvalPlanQual), and may take the new
 * owner for dead: 8 claimers took a quarter of 300 missions twice. The sub-select sees the old epoch then, and so differs.
 */
export async function claimMission(db: EngineDb, instance: string): Promise<Claim | undefined> {
  const { rows } = await db.query<Omit<Claim, 'now'> & { now: string }>({
    name: 'claim_mission',
    text: `
      with next as (
        select m.id, m.owner as dead, coalesce((
          select max(e.seq) from taskforce.events e where e.mission_id = m.id), 0) as seq
        from taskforce.missions m
        where m.wake_at <= now() and (m.owner is null or (
          not exists (select from taskforce.instances i where i.id = m.owner and i.alive_until > now())
          and m.epoch = (select seen.epoch from taskforce.missions seen where seen.id = m.id)
        ))
        order by m.priority desc, m.wake_at
        limit 1
        for update of m skip locked
      )
      update taskforce.missions m
      set owner = $1, epoch = m.epoch + 1, status = 'running', started_at = coalesce(m.started_at, now()),
          crashes = case when next.dead is not null and next.seq = m.claimed_seq then m.crashes + 1 else 0 end,
          claimed_seq = next.seq
      from next
      where m.id = next.id
      returning m.id as "missionId", m.tenant_id as "tenantId", m.epoch, m.profile_hash as "profileHash", m.inbox,
        m.crashes, extract(epoch from clock_timestamp()) * 1000 as now`,
    values: [instance],
  })
  const row = rows[0]
  return row === undefined ? undefined : { ...row, now: Number(row.now) }
}

/** Whether a mission without an owner may move now, whoever has its row locked at this moment. */
export async function isAnyFree(db: EngineDb): Promise<boolean> {
  const { rows } = await db.query<{ free: boolean }>({
    name: 'any_free',
    text: 'select exists (select from taskforce.missions where wake_at <= now() and owner is null) as free',
  })
  return rows[0]?.free === true
}
