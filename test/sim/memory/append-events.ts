import { jsonb } from './jsonb.ts'
import type { MissionRow } from './rows.ts'
import type { Handler, Run } from './run.ts'

// Mirrors src/db/queries/append-events.ts.

const appendOne: Handler = (run) => {
  const [id, epoch, owner, seq, type, json] = run.values as [string, number, string, number, string, string]
  const mission = run.leased(id, epoch, owner)
  if (mission === undefined) return []
  return [{ at: new Date(run.insertEvent(mission, seq, type, json).at) }]
}

type Columns = [owner: string, ids: string[], seqs: number[], epochs: number[], types: string[], data: string[]]

const appendMany: Handler = (run) => insertRows(run, () => true)

function insertRows(run: Run, mayGoIn: (missionId: string) => boolean): object[] {
  const [owner, ids, seqs, epochs, types, data] = run.values as unknown as Columns
  return ids.flatMap((id, index) => {
    const mission = run.leased(id, epochs[index] as number, owner)
    if (mission === undefined || !mayGoIn(id)) return []
    const row = run.insertEvent(mission, seqs[index] as number, types[index] as string, data[index] as string)
    return [{ mission_id: id, seq: row.seq, at: new Date(row.at) }]
  })
}

type ChangeColumns = [
  ids: string[],
  epochs: number[],
  statuses: string[],
  wakes: (number | null)[],
  releases: boolean[],
  endeds: boolean[],
  summaries: (string | null)[],
  inboxes: (number | null)[],
]

const appendWithChanges: Handler = (run) => {
  const owner = run.values[0] as string
  const columns = run.values.slice(6) as ChangeColumns
  const [ids, epochs] = columns
  const changed = ids.filter((id, index) => {
    const mission = run.leased(id, epochs[index] as number, owner)
    return mission !== undefined && change(run, mission, columns, index)
  })
  const recorded = insertRows(run, (id) => !ids.includes(id) || changed.includes(id))
  return [...recorded, ...changed.map((id) => ({ mission_id: id, seq: 0, at: null }))]
}

/** Whether the row was changed: not where another number of events has come from outside. */
function change(run: Run, mission: MissionRow, columns: ChangeColumns, index: number): boolean {
  const [, , statuses, wakes, releases, endeds, summaries, inboxes] = columns
  const inbox = inboxes[index] ?? null
  if (inbox !== null && mission.inbox !== inbox) return false
  const wake = wakes[index] ?? null
  const summary = summaries[index] ?? null
  run.update(mission, {
    status: statuses[index],
    wakeAt: wake === null ? null : run.inSeconds(wake),
    owner: releases[index] === true ? null : mission.owner,
    endedAt: endeds[index] === true ? run.now : mission.endedAt,
    summary: summary === null ? mission.summary : jsonb(summary),
  })
  return true
}

const appendInTransaction: Handler = (run) => {
  const [id, afterSeq, types, data] = run.values as [string, number, string[], string[]]
  const mission = run.mission(id)
  if (mission === undefined) return []
  return types.map((type, index) => ({
    at: new Date(run.insertEvent(mission, afterSeq + index + 1, type, data[index] as string).at),
  }))
}

export const appends: Record<string, Handler> = {
  append_one: appendOne,
  append_many: appendMany,
  append_with_changes: appendWithChanges,
  append_in_transaction: appendInTransaction,
}
