import { createHash } from 'node:crypto'
import { Client } from 'pg'
import { createEncoder } from '../../src/backup/codec/encode.ts'
import { dump } from '../../src/backup/dump/dump.ts'
import type { Manifest } from '../../src/backup/manifest.ts'
import { backupName, dataFile } from '../../src/backup/name.ts'
import type { BegunBy, BegunCall, EffectClaims } from '../../src/engine/effect-claims.ts'
import { withConnection } from './postgres.ts'

/** A backup in memory. */
export interface TakenBackup {
  manifest: Manifest
  stored: Buffer
  /** Its file, in chunks as a store gives them. */
  chunks(over?: Buffer): AsyncIterable<Buffer>
}

/** Dumps and encodes, as the backup timer does, without a store. */
export async function takeBackup(appUrl: string): Promise<TakenBackup> {
  const client = new Client({ connectionString: appUrl })
  client.on('error', () => undefined)
  await client.connect()
  const parts: Buffer[] = []
  const encoder = createEncoder(async (chunk) => void parts.push(Buffer.from(chunk)))
  const contents = await dump(client, (chunk) => encoder.write(chunk), { version: '0' })
  const { bytes, sha256 } = await encoder.end()
  const name = backupName(new Date(contents.snapshotAt))
  const stored = Buffer.concat(parts)
  const manifest: Manifest = {
    format: 1,
    name,
    file: dataFile(name, false),
    contents,
    stored: { bytes, sha256, codec: 'zstd' },
    readBackAt: contents.snapshotAt,
    generation: 0,
    version: '0',
  }
  return { manifest, stored, chunks: (over = stored) => inChunks(over) }
}

export async function* inChunks(bytes: Buffer, size = 64 * 1024): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

/** The manifest of a file that is another one, as if that had been written. */
export function manifestFor(manifest: Manifest, stored: Buffer): Manifest {
  const sha256 = createHash('sha256').update(stored).digest('hex')
  return { ...manifest, stored: { ...manifest.stored, bytes: stored.length, sha256 } }
}

/** Claims of a list, in pages of two. */
export function listedClaims(calls: readonly (BegunCall & { by?: BegunBy })[]): EffectClaims {
  return {
    async *pages() {
      for (let at = 0; at < calls.length; at += 2) yield calls.slice(at, at + 2)
    },
    by: async ({ missionId, key }) => calls.find((call) => call.missionId === missionId && call.key === key)?.by,
  }
}

/** Everything that a database holds and is, but for what a restore may leave behind when it fails: its drain, which is over by itself. */
export async function digestOf(ownerUrl: string): Promise<object> {
  return withConnection(ownerUrl, async (client) => {
    const { rows: schemas } = await client.query<{ name: string }>(
      `select nspname as name from pg_namespace where nspname like 'taskforce%' order by 1`,
    )
    const { rows: tables } = await client.query<{ name: string }>(
      `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where n.nspname like 'taskforce%' and c.relkind = 'r' order by 1`,
    )
    const sums: Record<string, unknown> = {}
    for (const { name } of tables) {
      const { rows } = await client.query<{ n: string; sum: string | null }>(
        `select count(*) as n, md5(string_agg(t::text, chr(10) order by t::text)) as sum from ${name} t
         where to_jsonb(t)->>'name' is distinct from 'drain'`,
      )
      sums[name] = rows[0]
    }
    return { schemas, sums }
  })
}
