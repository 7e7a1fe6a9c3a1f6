import { jsonb } from './jsonb.ts'
import type { MissionRow } from './rows.ts'
import { date, type Handler, type Run } from './run.ts'

// Mirrors src/db/queries/missions.ts, release-mission.ts, mission-standing.ts and wasReleased of read-back.ts.

export function columns(row: MissionRow): object {
  const { id, tenantId, status, goal, profile, labels, summary, createdAt, startedAt, endedAt } = row
  return {
    id,
    tenantId,
    status,
    goal,
    profile,
    labels: JSON.parse(labels) as unknown,
    summary: JSON.parse(summary) as unknown,
    createdAt: date(createdAt),
    startedAt: date(startedAt),
    endedAt: date(endedAt),
    forkedFrom: row.forkedFrom,
    forkedSeq: row.forkedSeq,
  }
}

const find: Handler = (run) => {
  const row = run.mission(run.values[0] as string)
  return row === undefined ? [] : [columns(row)]
}

/** That it is kept is not played: nothing in the simulation takes missions away. */
const keep: Handler = (run) => {
  const row = run.mission(run.values[0] as string)
  if (row === undefined) return []
  run.tables.missions.requireFree(run.tx, row.id)
  return [columns(row)]
}

const lock: Handler = (run) => {
  const row = run.mission(run.values[0] as string)
  if (row === undefined) return []
  run.lock(run.tables.missions, row.id)
  return [columns(row)]
}

/** An update of the mission that the first value names, or of none. */
function updating(change: (row: MissionRow, run: Run) => Partial<MissionRow>): Handler {
  return (run) => {
    const row = run.mission(run.values[0] as string)
    if (row === undefined) return 0
    run.update(row, { inbox: row.inbox + 1, ...change(row, run) })
    return 1
  }
}

const wake = updating(({ status, wakeAt }, { now }) => ({
  wakeAt: status === 'paused' ? wakeAt : Math.min(wakeAt ?? now, now),
  status: status === 'waiting' ? 'queued' : status,
}))

const pause = updating(({ owner }, { values }) =>
  owner === null ? { status: 'paused', wakeAt: null, summary: jsonb(values[1] as string) } : {},
)

const resume = updating(({ owner, status }, { now }) => ({ wakeAt: now, status: owner === null ? 'queued' : status }))

const end = updating(({ epoch }, { values, now }) => ({
  status: values[1] as string,
  endedAt: now,
  wakeAt: null,
  owner: null,
  epoch: epoch + 1,
  summary: jsonb(values[2] as string),
}))

function leasedIn(run: Run): MissionRow | undefined {
  const [id, epoch, owner] = run.values as [string, number, string]
  return run.leased(id, epoch, owner)
}

const abandon: Handler = (run) => {
  const row = leasedIn(run)
  if (row === undefined) return 0
  run.update(row, { owner: run.values[3] as string })
  return 1
}

const excuse: Handler = (run) => {
  const row = leasedIn(run)
  if (row === undefined) return 0
  run.update(row, { owner: null, wakeAt: run.inSeconds(run.values[3] as number) })
  return 1
}

const readInbox: Handler = (run) => {
  const row = leasedIn(run)
  return row === undefined ? [] : [{ inbox: row.inbox }]
}

const wasReleased: Handler = (run) => {
  const [id, epoch] = run.values as [string, number]
  const row = run.mission(id)
  return row?.epoch === epoch && row.owner === null ? [{}] : []
}

const readStanding: Handler = (run) => {
  const row = run.mission(run.values[0] as string)
  if (row === undefined) return []
  const { status, crashes, owner, endedAt } = row
  return [{ status, crashes, ended: endedAt !== null, owned: owner !== null && run.living().has(owner) }]
}

export const missions: Record<string, Handler> = {
  find_mission: find,
  keep_mission: keep,
  lock_mission: lock,
  wake_mission: wake,
  pause_mission: pause,
  resume_mission: resume,
  end_mission: end,
  abandon_mission: abandon,
  excuse_mission: excuse,
  read_inbox: readInbox,
  was_released: wasReleased,
  read_standing: readStanding,
}
