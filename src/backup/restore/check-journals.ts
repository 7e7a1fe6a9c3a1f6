import type { Client } from 'pg'
import type { OwnerTx } from '../../db/connection.ts'
import { readEvents } from '../../db/queries/read-events.ts'
import { parseEvent } from '../../domain/parse-event.ts'
import { foldJournal } from '../../engine/fold-journal.ts'
import { asReader, firstOf, type Check } from './check.ts'

const FIRST = '00000000-0000-0000-0000-000000000000'
const PAGE = 500

/** Every mission's journal, with those that it goes on from, can be read and folded by this build. One is in memory at a time. */
export const checkJournals: Check = (client) =>
  asReader(client, async () => {
    const tx = client as Client & OwnerTx
    const journal = {
      read: async (id: string, afterSeq: number, uptoSeq?: number) =>
        (await readEvents(tx, id, afterSeq, uptoSeq && uptoSeq - afterSeq)).map(parseEvent),
    }
    const wrong: string[] = []
    for await (const id of missionIds(client)) {
      await foldJournal(journal, id).catch((error: unknown) => {
        wrong.push(`${id}: ${error instanceof Error ? error.message : String(error)}`)
      })
    }
    return firstOf(wrong)
  })

async function* missionIds(client: Client): AsyncGenerator<string> {
  let after = FIRST
  for (;;) {
    const { rows } = await client.query<{ id: string }>(
      'select id from taskforce.missions where id > $1 order by id limit $2',
      [after, PAGE],
    )
    for (const { id } of rows) yield id
    if (rows.length < PAGE) return
    after = rows.at(-1)?.id ?? after
  }
}

/** Numbers of events go from 1 on without a gap, and belong to a mission that is there. */
export const checkGapless: Check = (client) =>
  asReader(client, async () => {
    const { rows } = await client.query<{ id: string }>(`
      select coalesce(m.id, e.mission_id) as id
      from (select mission_id, max(seq) as last, count(*) as n from taskforce.events group by mission_id) e
      full join taskforce.missions m on m.id = e.mission_id
      where m.id is null or e.last is distinct from e.n
      order by 1`)
    return firstOf(rows.map(({ id }) => `the journal of ${id} has gaps`))
  })

/** The contents of files that events name are there. */
export const checkFiles: Check = (client) =>
  asReader(client, async () => {
    const { rows } = await client.query<{ id: string; sha256: string }>(`
      select e.mission_id as id, f.file #>> '{}' as sha256
      from taskforce.events e cross join lateral jsonb_path_query(e.data, '$.files[*].sha256') f(file)
      where e.type in ('mission.created', 'tool.finished') and not exists (
        select from taskforce.contents c where c.tenant_id = e.tenant_id and c.sha256 = f.file #>> '{}')
      order by 1, 2`)
    return firstOf(rows.map(({ id, sha256 }) => `${id} has no contents ${sha256.slice(0, 12)}…`))
  })
