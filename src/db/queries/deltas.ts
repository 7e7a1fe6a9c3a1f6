import type { EngineDb } from '../connection.ts'

/** All of an answer's text so far. */
export interface DeltaWrite {
  missionId: string
  epoch: number
  /** The journal's length when the model was asked. */
  afterSeq: number
  text: string
}

export type DeltaRemoval = Pick<DeltaWrite, 'missionId' | 'epoch'>

/**
 * Stores and removes the text of unfinished answers, in one statement. Only the mission's present owner writes, and none
 * touches what a later owner wrote.
 * @param writes one of each mission, and of none that is in `removals`
 */
export async function storeDeltas(
  db: EngineDb,
  writes: readonly DeltaWrite[],
  removals: readonly DeltaRemoval[],
): Promise<void> {
  await db.query({
    name: 'store_deltas',
    text: `
      with removed as (
        delete from taskforce.deltas d using unnest($5::uuid[], $6::int[]) r(id, epoch)
        where d.mission_id = r.id and d.epoch <= r.epoch
      )
      insert into taskforce.deltas as d (mission_id, tenant_id, epoch, after_seq, text)
      select m.id, m.tenant_id, w.epoch, w.after_seq, w.text
      from unnest($1::uuid[], $2::int[], $3::int[], $4::text[]) w(id, epoch, after_seq, text)
      join taskforce.missions m on m.id = w.id and m.epoch = w.epoch
      on conflict (mission_id) do update
      set epoch = excluded.epoch, after_seq = excluded.after_seq, text = excluded.text, at = excluded.at
      where d.epoch <= excluded.epoch`,
    values: [
      writes.map(({ missionId }) => missionId),
      writes.map(({ epoch }) => epoch),
      writes.map(({ afterSeq }) => afterSeq),
      // Text columns refuse U+0000, which models do write.
      writes.map(({ text }) => text.replaceAll('\0', '\ufffd')),
      removals.map(({ missionId }) => missionId),
      removals.map(({ epoch }) => epoch),
    ],
  })
}

/**
 * Removes what owners that died left behind ten minutes ago; one that is still being written is written again at once.
 * Passes over rows that are being written to just now: two statements over the same rows would wait for each other.
 */
export async function forgetOldDeltas(db: EngineDb): Promise<void> {
  await db.query({
    name: 'forget_old_deltas',
    text: `
      delete from taskforce.deltas where mission_id in (
        select mission_id from taskforce.deltas where at < now() - interval '10 minutes' for update skip locked
      )`,
  })
}
