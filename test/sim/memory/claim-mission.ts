import type { EventRow, MissionRow, TenantRow } from './rows.ts'
import { isDraining } from './drain.ts'
import { numericMs, type Handler, type Run } from './run.ts'

// Mirrors src/db/queries/claim-mission.ts.

const SHORT_JOURNAL = 64
const SPARE = 16
const SUSPECT_CRASHES = 2

interface Turn {
  tenant: TenantRow
  tag: number
  /** How many more may move; null: any number. */
  room: number | null
}

interface Next {
  mission: MissionRow
  turn: Turn
  tag: number
}

const claimMissions: Handler = (run) => {
  if (isDraining(run)) return []
  const [instance, most, tenants, tags, suspect] = run.values as [string, number, string[], number[], boolean]
  const byTenant = Map.groupBy(run.missions(), ({ tenantId }) => tenantId)
  const turns = takeTurns(run, byTenant, new Map(tenants.map((id, index) => [id, tags[index] as number])))
  const withRoom = turns.filter(({ room }) => room === null || room > 0)
  const wanted = (rows: readonly MissionRow[]) => rows.filter((row) => suspect || !isSuspect(row))
  const free = withRoom.flatMap(({ tenant }) => freeOf(run, wanted(byTenant.get(tenant.id) ?? []), most + SPARE))
  const open = new Set(withRoom.map(({ tenant }) => tenant.id))
  const orphans = wanted(run.missions())
    .filter((row) => open.has(row.tenantId) && isOrphan(run, row) && isDue(run, row))
    .sort((a, b) => compareText(a.owner ?? '', b.owner ?? ''))
    .slice(0, most + SPARE)
  return inTurn(turns, butOneSuspect([...free, ...orphans]))
    .filter(({ mission }) => !run.tables.missions.isLocked(run.tx, mission.id))
    .slice(0, most)
    .map((next) => take(run, instance, next))
}

function butOneSuspect(rows: readonly MissionRow[]): MissionRow[] {
  const [first] = rows.filter(isSuspect).sort((a, b) => byWake(a, b) || compareText(a.id, b.id))
  return rows.filter((row) => !isSuspect(row) || row === first)
}

/** Tenants with a limit only where they have work, and then their claims are counted. */
function takeTurns(run: Run, byTenant: Map<string, MissionRow[]>, served: ReadonlyMap<string, number>): Turn[] {
  const turns: Turn[] = []
  for (const tenant of run.tables.tenants.values(run.tx)) {
    const { id, maxRunning, deleted } = tenant
    if (deleted) continue
    const tag = served.get(id) ?? 0
    if (maxRunning === null) turns.push({ tenant, tag, room: null })
    if (maxRunning === null || run.tables.tenants.isLocked(run.tx, id)) continue
    const rows = byTenant.get(id) ?? []
    if (!rows.some((row) => isOrphan(run, row) || isFree(run, row))) continue
    run.put(run.tables.tenants, id, { ...tenant, turns: (tenant.turns + 1) % 1_000_000_000 })
    turns.push({ tenant, tag, room: maxRunning - running(run, rows) })
  }
  return turns
}

function freeOf(run: Run, rows: readonly MissionRow[], limit: number): MissionRow[] {
  const free = rows.filter((row) => isFree(run, row))
  const waiting = free.filter(({ status }) => status === 'waiting').sort(byWake)
  const ready = free.filter(({ status }) => status !== 'waiting').sort(byPriority)
  return [...ready.slice(0, limit), ...waiting.slice(0, limit)]
}

function inTurn(turns: readonly Turn[], free: readonly MissionRow[]): Next[] {
  const byTenant = Map.groupBy(free, ({ tenantId }) => tenantId)
  return turns
    .flatMap((turn) => {
      const { tenant, tag, room } = turn
      const rows = (byTenant.get(tenant.id) ?? []).sort(byPriority)
      return rows
        .slice(0, room === null ? rows.length : Math.max(0, room))
        .map((mission, index) => ({ mission, turn, tag: tag + index / tenant.weight }))
    })
    .sort((a, b) => a.tag - b.tag || byWake(a.mission, b.mission))
}

function take(run: Run, instance: string, { mission, turn, tag }: Next): object {
  const journal = run.journal(mission.id)
  const seq = journal.at(-1)?.seq ?? 0
  const crashes = mission.owner === null ? mission.crashes : mission.crashes + 1
  const claimed = run.update(mission, {
    owner: instance,
    epoch: mission.epoch + 1,
    status: 'running',
    startedAt: mission.startedAt ?? run.now,
    crashes: seq > mission.claimedSeq ? 0 : crashes,
    claimedSeq: seq === 1 ? 2 : seq,
  })
  const begun = seq === 1 ? [run.insertEvent(claimed, 2, 'mission.started', JSON.stringify({ instance }))] : []
  const events = [...(seq <= SHORT_JOURNAL ? journal : []), ...begun].map(journalRow)
  const { id, tenantId, epoch, profileHash, inbox } = claimed
  return {
    missionId: id,
    tenantId,
    epoch,
    profileHash,
    inbox,
    crashes: claimed.crashes,
    tag,
    weight: turn.tenant.weight,
    limited: turn.room !== null,
    now: numericMs(run.clock),
    began: seq === 1,
    events: events.length === 0 ? null : events,
  }
}

function journalRow({ v, at, seq, data, type }: EventRow): object {
  return { v, at: Math.trunc(at), seq, data: JSON.parse(data) as unknown, type }
}

function isDue(run: Run, { wakeAt }: MissionRow): boolean {
  return wakeAt !== null && wakeAt <= run.now
}

function isFree(run: Run, row: MissionRow): boolean {
  return row.owner === null && isDue(run, row) && ['queued', 'running', 'waiting'].includes(row.status)
}

function isOrphan(run: Run, { owner }: MissionRow): boolean {
  return owner !== null && !run.living().has(owner)
}

function isSuspect({ owner, crashes }: MissionRow): boolean {
  return crashes + Number(owner !== null) >= SUSPECT_CRASHES
}

function running(run: Run, rows: readonly MissionRow[]): number {
  return rows.filter(({ owner }) => owner !== null && run.living().has(owner)).length
}

function byWake(a: MissionRow, b: MissionRow): number {
  return (a.wakeAt ?? 0) - (b.wakeAt ?? 0)
}

function byPriority(a: MissionRow, b: MissionRow): number {
  return b.priority - a.priority || byWake(a, b)
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}

const anyFree: Handler = (run) => {
  const byTenant = Map.groupBy(run.missions(), ({ tenantId }) => tenantId)
  const free = [...run.tables.tenants.values(run.tx)].some(({ id, maxRunning, deleted }) => {
    const rows = byTenant.get(id) ?? []
    return !deleted && rows.some((row) => isFree(run, row)) && (maxRunning === null || maxRunning > running(run, rows))
  })
  return [{ free: free && !isDraining(run) }]
}

export const claims: Record<string, Handler> = { claim_missions: claimMissions, any_free: anyFree }
