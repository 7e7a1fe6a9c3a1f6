import pg from 'pg'
import { v7 as uuidv7 } from 'uuid'
import { textOf } from './payload.ts'

const TABLE = `
  create table if not exists public.bare (
    mission_id uuid not null, seq integer not null, epoch integer not null, v smallint not null, type text not null,
    data jsonb not null, at timestamptz not null default clock_timestamp(), tenant_id uuid not null,
    primary key (mission_id, seq))`
const INSERT = `insert into public.bare (mission_id, seq, epoch, v, type, data, tenant_id) values ($1, $2, 1, 1, $3, $4, $5)`

/** The floor: one prepared insert a step through a pool, into a table of the journal's columns, and no engine at all. */
export interface Baseline {
  run(steps: number, onStep: (mission: string) => void): Promise<void>
  close(): Promise<void>
}

export async function createBaseline(url: string, concurrency: number): Promise<Baseline> {
  const pool = new pg.Pool({ connectionString: url, max: concurrency })
  await pool.query(TABLE)
  const tenant = uuidv7()
  return {
    async run(steps, onStep) {
      const id = uuidv7()
      for (let k = 1; k <= steps; k++) {
        onStep(id)
        const type = k % 2 === 1 ? 'model.answered' : 'tool.finished'
        const data = JSON.stringify({ role: type, content: textOf(k) })
        await pool.query({ name: 'bare', text: INSERT, values: [id, k, type, data, tenant] })
      }
    },
    close: () => pool.end(),
  }
}
