import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { from as copyFrom } from 'pg-copy-streams'
import { createConversations, PROFILE, TENANT, type MissionRows } from './backup-rows.ts'
import { withClient } from './database.ts'

type Table = keyof MissionRows

const COLUMNS: Record<Table, string> = {
  missions: 'id, tenant_id, status, goal, profile, profile_hash, summary, created_at, started_at, ended_at',
  events: 'mission_id, seq, epoch, v, type, data, at, tenant_id',
  contents: 'tenant_id, sha256, bytes',
}
/** Rows that are held for one COPY of each table. */
const BATCH_BYTES = 32 * 1024 * 1024

/**
 * Fills a migrated database with conversations, and leaves nothing to the server that a reader would be charged with.
 * @param superUrl of a superuser: COPY refuses tables under row-level security to everybody else
 * @param bytes of rows in COPY's text form, about
 */
export async function fill(superUrl: string, bytes: number): Promise<void> {
  const next = createConversations(bytes)
  await withClient(superUrl, async (client) => {
    await client.query('insert into taskforce.profiles (tenant_id, hash, name, body) values ($1, $2, $3, $4)', [
      TENANT,
      PROFILE.hash,
      PROFILE.name,
      PROFILE.body,
    ])
    for (let left = bytes; left > 0;) {
      const rows: Record<Table, string[]> = { missions: [], events: [], contents: [] }
      let held = 0
      while (held < Math.min(left, BATCH_BYTES)) {
        const mission = next()
        for (const table of tables) {
          rows[table].push(mission[table])
          held += mission[table].length
        }
      }
      for (const table of tables) {
        const copy = client.query(copyFrom(`copy taskforce.${table} (${COLUMNS[table]}) from stdin`))
        await pipeline(Readable.from(rows[table]), copy)
      }
      left -= held
    }
    await client.query('vacuum (freeze, analyze)')
    await client.query('checkpoint')
  })
}

const tables = Object.keys(COLUMNS) as Table[]
