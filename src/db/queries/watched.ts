import type { JournalRow } from '../../domain/parse-event.ts'
import type { EngineDb } from '../connection.ts'

export interface WatchedRow extends JournalRow {
  missionId: string
  /** There is more behind it than this page has room for. */
  more: boolean
}

/** The text of an answer that a model is still writing. */
export interface Delta {
  missionId: string
  epoch: number
  /** The journal's length when the model was asked. */
  afterSeq: number
  text: string
  /** Changes with each write; only equality means something. */
  writtenAt: string
}

export interface WatchPoll {
  /** From where on events are asked for. */
  positions: readonly { missionId: string; afterSeq: number }[]
  /** Missions whose unfinished answers are asked for, with what is known of each. */
  drafts: readonly { missionId: string; known?: Delta }[]
  /** Of each position: so many events, or as many as take so many bytes as they are stored, one at least. */
  page: { rows: number; bytes: number }
}

type PolledRow = Omit<WatchedRow, 'at' | 'type'> & { at: string } & (
    { type: string; writtenAt: null } | { type: null; writtenAt: string; epoch: number; text: string | null }
  )

/**
 * What is new for everyone who reads along, in one statement: events of each position in order, and the answers that are
 * being written, where they are asked for. One that was recorded, or that an earlier owner of the mission left behind, is
 * none of these.
 */
export async function pollWatched(
  db: EngineDb,
  { positions, drafts, page }: WatchPoll,
): Promise<{ rows: WatchedRow[]; deltas: Delta[] }> {
  const ids = positions.map(({ missionId }) => missionId)
  const values = [ids, positions.map(({ afterSeq }) => afterSeq), page.rows, page.bytes]
  const draftIds = drafts.map(({ missionId }) => missionId)
  const draftValues = [draftIds, drafts.map(({ known }) => known?.writtenAt ?? '')]
  const { rows: found } = await db.query<PolledRow>(
    drafts.length === 0
      ? { name: 'watch_poll', text: EVENTS, values }
      : { name: 'watch_poll_drafts', text: `${EVENTS} union all ${DRAFTS}`, values: [...values, ...draftValues] },
  )
  const known = new Map(drafts.map((draft) => [draft.missionId, draft.known]))
  const rows: WatchedRow[] = []
  const deltas: Delta[] = []
  for (const row of found) {
    const { missionId, seq } = row
    if (row.type !== null) {
      const { v, type, data, more } = row
      rows.push({ missionId, seq, v, type, data, more, at: Math.trunc(Number(row.at)) })
    } else if (row.text !== null) {
      deltas.push({ missionId, epoch: row.epoch, afterSeq: seq, text: row.text, writtenAt: row.writtenAt })
    } else {
      const same = known.get(missionId)
      if (same !== undefined) deltas.push(same)
    }
  }
  return { rows, deltas }
}

/** The lateral part numbers nothing that it need not read: who is up to date costs one look into the index. */
const EVENTS = `
  select w.id as "missionId", e.seq, e.v, e.type, e.data, extract(epoch from e.at) * 1000 as at, e.more,
    null::int as epoch, null::text as text, null::text as "writtenAt"
  from unnest($1::uuid[], $2::int[]) w(id, after_seq)
  cross join lateral (
    select p.*, lead(p.seq) over following is not null as more, row_number() over following as n,
      sum(pg_column_size(p.data)) over following - pg_column_size(p.data) as bytes_before
    from (
      select * from taskforce.events e where e.mission_id = w.id and e.seq > w.after_seq order by e.seq limit $3 + 1
    ) p
    window following as (order by p.seq)
  ) e
  where e.n <= $3 and e.bytes_before < $4`

const DRAFTS = `
  select d.mission_id, d.after_seq, null, null, null, null, null,
    d.epoch, case when d.at::text <> k.at then d.text end, d.at::text
  from unnest($5::uuid[], $6::text[]) k(id, at)
  join taskforce.deltas d on d.mission_id = k.id
  join taskforce.missions m on m.id = d.mission_id and m.epoch = d.epoch
  where not exists (
    select from taskforce.events e
    where e.mission_id = d.mission_id and e.seq > d.after_seq and e.type in ('model.answered', 'model.failed')
  )`

/** Says for some seconds that somebody reads along with these missions; who runs them learns it from the control poll. */
export async function markWatched(
  db: EngineDb,
  missions: readonly { missionId: string; tenantId: string }[],
  seconds: number,
): Promise<void> {
  // In one order everywhere: instances that mark the same missions must not wait for each other in a circle.
  await db.query({
    name: 'mark_watched',
    text: `
      insert into taskforce.watched (mission_id, tenant_id, until)
      select id, tenant_id, now() + make_interval(secs => $3::float8)
      from unnest($1::uuid[], $2::uuid[]) w(id, tenant_id) order by id
      on conflict (mission_id) do update set until = excluded.until`,
    values: [missions.map(({ missionId }) => missionId), missions.map(({ tenantId }) => tenantId), seconds],
  })
}

/** Removes marks that ended over a minute ago, but for those that are being set anew just now. */
export async function forgetUnwatched(db: EngineDb): Promise<void> {
  await db.query({
    name: 'forget_unwatched',
    text: `
      delete from taskforce.watched where mission_id in (
        select mission_id from taskforce.watched where until < now() - interval '1 minute' for update skip locked
      )`,
  })
}
