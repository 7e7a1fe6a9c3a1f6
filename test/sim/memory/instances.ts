import { isDraining } from './drain.ts'
import { numericMs, type Handler } from './run.ts'

// Mirrors src/db/queries/instances.ts and sweep.ts.

const HOUR_MS = 3_600_000
const MOST_ORPHANS = 100

const beat: Handler = (run) => {
  const [id, seconds, version, host] = run.values as [string, number, string, string]
  const { instances } = run.tables
  const row = instances.get(run.tx, id) ?? { id, aliveUntil: 0, startedAt: run.now, version, host }
  run.put(instances, id, { ...row, aliveUntil: run.inSeconds(seconds) })
  return 1
}

const leave: Handler = (run) => {
  const [id] = run.values as [string]
  if (run.tables.instances.get(run.tx, id) === undefined) return 0
  run.put(run.tables.instances, id, undefined)
  return 1
}

const forgetDead: Handler = (run) => {
  const dead = [...run.tables.instances.values(run.tx)].filter(({ aliveUntil }) => aliveUntil < run.now - HOUR_MS)
  for (const { id } of dead) run.put(run.tables.instances, id, undefined)
  return dead.length
}

const controlPoll: Handler = (run) => {
  const [instance] = run.values as [string]
  const all = run.missions()
  const found = all.filter(
    ({ owner, wakeAt }) => owner !== null && wakeAt !== null && wakeAt <= run.now && !run.living().has(owner),
  )
  const orphans = Math.min(MOST_ORPHANS, found.length)
  const owned = all.filter(({ owner }) => owner === instance)
  const draining = isDraining(run)
  if (owned.length === 0) return [{ missionId: null, epoch: null, inbox: null, watched: false, orphans, draining }]
  return owned.map(({ id, epoch, inbox }) => {
    const until = run.tables.watched.get(run.tx, id)?.until ?? -Infinity
    return { missionId: id, epoch, inbox, watched: until > run.now, orphans, draining }
  })
}

const findDue: Handler = (run) => {
  if (isDraining(run)) return []
  const [within, limit] = run.values as [number, number]
  const horizon = run.inSeconds(within)
  const due = run.missions().flatMap(({ id, tenantId, owner, status, wakeAt, crashes }) => {
    if (wakeAt === null || wakeAt > horizon) return []
    const isFree = owner === null ? ['queued', 'running', 'waiting'].includes(status) : !run.living().has(owner)
    return isFree ? [{ id, tenantId, wakeAt, crashes: crashes + Number(owner !== null), place: 0 }] : []
  })
  due.sort((a, b) => a.wakeAt - b.wakeAt)
  const places = new Map<string, number>()
  for (const row of due) {
    row.place = (places.get(row.tenantId) ?? 0) + 1
    places.set(row.tenantId, row.place)
  }
  return due
    .sort((a, b) => a.crashes - b.crashes || a.place - b.place || a.wakeAt - b.wakeAt)
    .slice(0, limit)
    .map(({ id, tenantId, wakeAt }) => {
      const inSeconds = Math.max(0, Math.ceil((wakeAt - run.now) / 1000))
      return { missionId: id, tenantId, inSeconds }
    })
}

const LAST_SWEEP = 'last_sweep'

const beginSweep: Handler = (run) => {
  const [atLeastSeconds] = run.values as [number]
  const last = run.tables.facts.get(run.tx, LAST_SWEEP)
  if (last !== undefined && last.at > run.inSeconds(-atLeastSeconds)) return 0
  run.put(run.tables.facts, LAST_SWEEP, { name: LAST_SWEEP, at: run.now, value: last?.value ?? '{}' })
  return 1
}

const sweepAge: Handler = (run) => {
  const last = run.tables.facts.get(run.tx, LAST_SWEEP)
  return last === undefined ? [] : [{ age: numericMs(run.now - last.at) }]
}

export const instances: Record<string, Handler> = {
  instance_beat: beat,
  instance_leave: leave,
  forget_dead: forgetDead,
  control_poll: controlPoll,
  find_due: findDue,
  begin_sweep: beginSweep,
  sweep_age: sweepAge,
}
