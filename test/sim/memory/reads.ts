import type { EventRow } from './rows.ts'
import { numericMs, type Handler, type Run } from './run.ts'

// Mirrors src/db/queries/read-events.ts, readBack of read-back.ts and pollWatched of watched.ts.

const readEvents: Handler = (run) => {
  const [missionId, afterSeq, limit] = run.values as [string, number, number | null]
  const rows = run.journal(missionId).filter(({ seq }) => seq > afterSeq)
  return (limit === null ? rows : rows.slice(0, limit)).map(({ seq, v, type, data, at }) => ({
    seq,
    v,
    type,
    data: JSON.parse(data) as unknown,
    at: Math.trunc(at),
  }))
}

const readBack: Handler = (run) => {
  const [missionId, afterSeq, count] = run.values as [string, number, number]
  return run
    .journal(missionId)
    .filter(({ seq }) => seq > afterSeq && seq <= afterSeq + count)
    .map(({ seq, epoch, type, at }) => ({ seq, epoch, type, at: new Date(at) }))
}

const watchPoll: Handler = (run) => {
  const [ids, afterSeqs] = run.values as [string[], number[]]
  return ids.flatMap((missionId, index) => page(run, missionId, afterSeqs[index] as number))
}

function page(run: Run, missionId: string, afterSeq: number): object[] {
  const [, , most, mostBytes] = run.values as [unknown, unknown, number, number]
  const found = run.journal(missionId).filter(({ seq }) => seq > afterSeq)
  const rows: object[] = []
  let bytes = 0
  for (const [index, row] of found.slice(0, most).entries()) {
    if (bytes >= mostBytes) break
    bytes += Buffer.byteLength(row.data)
    rows.push(watchedRow(row, index + 1 < found.length))
  }
  return rows
}

function watchedRow({ missionId, seq, v, type, data, at }: EventRow, more: boolean): object {
  const event = { missionId, seq, v, type, data: JSON.parse(data) as unknown, at: numericMs(at), more }
  return { ...event, epoch: null, text: null, writtenAt: null }
}

const RECORDED = new Set(['model.answered', 'model.failed'])

const watchPollDrafts: Handler = (run) => {
  const [, , , , ids, known] = run.values as [unknown, unknown, unknown, unknown, string[], string[]]
  const drafts = ids.flatMap((missionId, index) => {
    const delta = run.tables.deltas.get(run.tx, missionId)
    if (delta === undefined || run.mission(missionId)?.epoch !== delta.epoch) return []
    const { epoch, afterSeq, at } = delta
    if (run.journal(missionId).some(({ seq, type }) => seq > afterSeq && RECORDED.has(type))) return []
    const writtenAt = new Date(at).toISOString()
    const text = known[index] === writtenAt ? null : delta.text
    const noEvent = { v: null, type: null, data: null, at: null, more: null }
    return [{ missionId, seq: afterSeq, ...noEvent, epoch, text, writtenAt }]
  })
  return [...(watchPoll(run) as object[]), ...drafts]
}

export const reads: Record<string, Handler> = {
  read_events: readEvents,
  read_back: readBack,
  watch_poll: watchPoll,
  watch_poll_drafts: watchPollDrafts,
}
