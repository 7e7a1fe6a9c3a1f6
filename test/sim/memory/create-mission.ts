import { checkViolation, foreignKeyViolation, policyViolation, uniqueViolation } from './errors.ts'
import { isDraining } from './drain.ts'
import { jsonb } from './jsonb.ts'
import { columns } from './missions.ts'
import type { MissionRow } from './rows.ts'
import type { Handler, Run } from './run.ts'

// Mirrors src/db/queries/create-mission.ts.

type NewValues = [
  id: string,
  tenantId: string,
  goal: string,
  profile: string,
  profileHash: string,
  labels: string,
  priority: number,
  body: string | null,
  forkedFrom: string | null,
  forkedSeq: number | null,
  instance: string | null,
]

/** In the order of Postgres: policies, checks, the key, and foreign keys at the statement's end. */
const insertMission: Handler = (run) => {
  if (isDraining(run)) return []
  const values = run.values as unknown as NewValues
  const [id, tenantId, , , , , , , , forkedSeq] = values
  const isPinned = pinProfile(run, values)
  if (run.sees(tenantId) && run.tables.tenants.get(run.tx, tenantId)?.deleted === true) return []
  if (!run.sees(tenantId)) throw policyViolation('missions')
  const row = newRow(run, values)
  if (forkedSeq !== null && forkedSeq < 1) throw checkViolation('missions_forked_seq_check')
  // Also where it is another tenant's.
  if (run.tables.missions.get(run.tx, id) !== undefined) throw uniqueViolation('missions_pkey')
  run.put(run.tables.missions, id, row)
  if (!isPinned) throw foreignKeyViolation('missions_tenant_id_profile_hash_fkey')
  return [{ ...columns(row), owner: row.owner }]
}

/** Stores the profile where it is given and not there yet. Whether it is there then. */
function pinProfile(run: Run, [, tenantId, , name, hash, , , body]: NewValues): boolean {
  const { profiles, tenants } = run.tables
  const key = `${tenantId}/${hash}`
  if (body !== null && !run.sees(tenantId)) throw policyViolation('profiles')
  if (profiles.get(run.tx, key) !== undefined) return true
  if (body === null) return false
  run.put(profiles, key, { tenantId, hash, name, body: jsonb(body) })
  if (tenants.get(run.tx, tenantId) === undefined) throw foreignKeyViolation('profiles_tenant_id_fkey')
  return true
}

function newRow(run: Run, values: NewValues): MissionRow {
  const [id, tenantId, goal, profile, profileHash, labels, priority, , forkedFrom, forkedSeq, instance] = values
  const isLimited = run.tables.tenants.get(run.tx, tenantId)?.maxRunning != null
  const owner = isLimited ? null : instance
  return {
    id,
    tenantId,
    status: owner === null ? 'queued' : 'running',
    goal,
    profile,
    profileHash,
    labels: jsonb(labels),
    priority,
    epoch: owner === null ? 0 : 1,
    owner,
    wakeAt: run.now,
    inbox: 0,
    crashes: 0,
    claimedSeq: owner === null ? 0 : 2,
    summary: '{}',
    createdAt: run.now,
    startedAt: owner === null ? null : run.now,
    endedAt: null,
    forkedFrom,
    forkedSeq,
  }
}

const recordCreation: Handler = (run) => {
  const [id, types, data] = run.values as [string, string[], string[]]
  const mission = run.mission(id)
  if (mission === undefined) return []
  return types
    .slice(0, mission.owner === null ? 1 : types.length)
    .map((type, index) => ({ at: new Date(run.insertEvent(mission, index + 1, type, data[index] as string).at) }))
}

export const creations: Record<string, Handler> = { insert_mission: insertMission, record_creation: recordCreation }
