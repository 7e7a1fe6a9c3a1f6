import { randomUUID } from 'node:crypto'
import { Client } from 'pg'
import { withConnection } from '../support/postgres.ts'

const TENANT = '00000000-0000-7000-8000-000000000001'

/** Rows of missions without events, whose `claimed_seq` is to be the length of their journal. */
export async function insertMissions(ownerUrl: string, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => randomUUID())
  await withConnection(ownerUrl, async (client) => {
    await client.query(`insert into taskforce.profiles (tenant_id, hash, name, body) values ($1, 'h', 'dev', '{}')`, [
      TENANT,
    ])
    await client.query(
      `insert into taskforce.missions (id, tenant_id, status, goal, profile, profile_hash)
       select id, $2, 'running', 'write', 'dev', 'h' from unnest($1::uuid[]) id`,
      [ids, TENANT],
    )
  })
  return ids
}

/** Events of one mission at once, of about `bytes` each, which hardly compress. */
export async function insertEvents(ownerUrl: string, mission: string, count: number, bytes: number): Promise<void> {
  await withConnection(ownerUrl, (client) =>
    client.query(
      `insert into taskforce.events (mission_id, seq, epoch, v, type, data, tenant_id)
       select $1, n, 1, 1, 'note', jsonb_build_object('text',
         (select string_agg(md5(random()::text || n || m), '') from generate_series(1, $3) m)), $4
       from generate_series(1, $2) n`,
      [mission, count, Math.ceil(bytes / 32), TENANT],
    ),
  )
}

export interface Writers {
  /** Resolves when so many more transactions were committed. */
  more(count: number): Promise<void>
  stop(): Promise<void>
}

/** Each writer appends to missions of its own: an event and the mission's row in one transaction, as fast as it can. */
export async function startWriters(appUrl: string, missions: readonly string[], count: number): Promise<Writers> {
  let committed = 0
  const stop = new AbortController()
  const waiting = new Set<{ at: number; wake: () => void }>()

  async function write(writer: number): Promise<void> {
    const mine = missions.filter((_, index) => index % count === writer)
    const client = new Client({ connectionString: appUrl })
    await client.connect()
    for (let seq = 1; !stop.signal.aborted; seq++) {
      for (const mission of mine) {
        await client.query('begin')
        await client.query(
          `insert into taskforce.events (mission_id, seq, epoch, v, type, data, tenant_id) values ($1, $2, 1, 1, 'note', $3, $4)`,
          [mission, seq, JSON.stringify({ seq }), TENANT],
        )
        await client.query(`update taskforce.missions set claimed_seq = $2 where id = $1`, [mission, seq])
        await client.query('commit')
        committed++
        for (const one of [...waiting].filter(({ at }) => at <= committed)) one.wake()
      }
    }
    await client.end()
  }

  const writing = Array.from({ length: count }, (_, writer) => write(writer))
  const all = Promise.all(writing)
  return {
    more: (extra) =>
      Promise.race([
        new Promise<void>((resolve) => {
          const one = { at: committed + extra, wake: () => (waiting.delete(one), resolve()) }
          waiting.add(one)
        }),
        all.then(() => undefined),
      ]),
    async stop() {
      stop.abort()
      await all
    },
  }
}

/** What is wrong with the journals of a database: gaps, and rows of missions that are not of the same moment as their events. */
export async function inconsistencies(url: string): Promise<string[]> {
  return withConnection(url, async (client) => {
    const { rows } = await client.query<{ line: string }>(
      `select format('%s: row says %s, journal has %s events up to %s', m.id, m.claimed_seq, count(e.seq), max(e.seq)) as line
       from taskforce.missions m left join taskforce.events e on e.mission_id = m.id
       group by m.id having count(e.seq) <> m.claimed_seq or coalesce(max(e.seq), 0) <> m.claimed_seq`,
    )
    return rows.map(({ line }) => line)
  })
}
