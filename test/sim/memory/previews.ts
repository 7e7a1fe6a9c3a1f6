import { databaseError, foreignKeyViolation } from './errors.ts'
import type { Handler } from './run.ts'

// Mirrors src/db/queries/deltas.ts, and markWatched and forgetUnwatched of watched.ts.

const MINUTE_MS = 60_000

type Stored = [
  ids: string[],
  epochs: number[],
  afterSeqs: number[],
  texts: string[],
  removedIds: string[],
  removedEpochs: number[],
]

const storeDeltas: Handler = (run) => {
  const [ids, epochs, afterSeqs, texts, removedIds, removedEpochs] = run.values as unknown as Stored
  const { deltas } = run.tables
  for (const [index, id] of removedIds.entries()) {
    const row = deltas.get(run.tx, id)
    if (row !== undefined && row.epoch <= (removedEpochs[index] as number)) run.put(deltas, id, undefined)
  }
  let stored = 0
  for (const [index, id] of ids.entries()) {
    const mission = run.mission(id)
    const epoch = epochs[index] as number
    if (mission?.epoch !== epoch || (deltas.get(run.tx, id)?.epoch ?? 0) > epoch) continue
    const written = { epoch, afterSeq: afterSeqs[index] as number, text: texts[index] as string, at: run.clock }
    run.put(deltas, id, { missionId: id, tenantId: mission.tenantId, ...written })
    stored++
  }
  return stored
}

const forgetOldDeltas: Handler = (run) => {
  const old = [...run.tables.deltas.values(run.tx)].filter(({ at }) => at < run.now - 10 * MINUTE_MS)
  for (const { missionId } of old) run.put(run.tables.deltas, missionId, undefined)
  return old.length
}

const markWatched: Handler = (run) => {
  const [ids, tenants, seconds] = run.values as [string[], string[], number]
  const { watched } = run.tables
  if (new Set(ids).size < ids.length)
    throw databaseError('21000', 'ON CONFLICT DO UPDATE command cannot affect row a second time')
  for (const [index, missionId] of ids.entries()) {
    const known = watched.get(run.tx, missionId)
    const tenantId = known?.tenantId ?? tenants[index] ?? ''
    if (run.tables.tenants.get(run.tx, tenantId) === undefined) throw foreignKeyViolation('watched_tenant_id_fkey')
    run.put(watched, missionId, { missionId, tenantId, until: run.inSeconds(seconds) })
  }
  return ids.length
}

const forgetUnwatched: Handler = (run) => {
  const old = [...run.tables.watched.values(run.tx)].filter(({ until }) => until < run.now - MINUTE_MS)
  for (const { missionId } of old) run.put(run.tables.watched, missionId, undefined)
  return old.length
}

export const previews: Record<string, Handler> = {
  store_deltas: storeDeltas,
  forget_old_deltas: forgetOldDeltas,
  mark_watched: markWatched,
  forget_unwatched: forgetUnwatched,
}
