import { Client, DatabaseError, type QueryResult } from 'pg'
import type { EventRecord, MissionRecord } from '../proof/history.ts'
import { EVENT_ROWS, MISSION_ROWS } from '../proof/load-history.ts'
import { Blocked, type Backend, type Session, type SimQuery, type Snapshot } from './backend.ts'
import { SIM_TENANTS } from './tenants.ts'
import { useVirtualNow, type VirtualNow } from './virtual-now.ts'

/** Statements come one at a time, so that whoever has to wait for a lock here would wait for ever. */
const LOCK_MS = 15
/** SQLSTATE of a lock that was not to be had in time. */
const LOCKED = '55P03'

const OUTSIDE_TRANSACTIONS = /^\s*(begin|commit|rollback)\b/i

/** The statements' own SQL, on a real Postgres whose clock is the simulation's. */
export class PostgresBackend implements Backend {
  readonly #appUrl: string
  readonly #owner: Client
  readonly #now: VirtualNow
  readonly #clients = new Map<number, Client>()
  #at = -1

  private constructor(appUrl: string, owner: Client, now: VirtualNow) {
    this.#appUrl = appUrl
    this.#owner = owner
    this.#now = now
  }

  /** @param database migrated, and used by nobody else */
  static async open({ appUrl, ownerUrl }: { appUrl: string; ownerUrl: string }): Promise<PostgresBackend> {
    const now = await useVirtualNow(ownerUrl)
    const owner = new Client({ connectionString: ownerUrl })
    await owner.connect()
    return new PostgresBackend(appUrl, owner, now)
  }

  /** As it was after the migrations, with the simulation's tenants. */
  async reset(): Promise<void> {
    for (const id of this.#clients.keys()) await this.disconnect({ id, pool: 'api' })
    await this.#owner.query(`
      truncate taskforce.events, taskforce.missions, taskforce.profiles, taskforce.instances, taskforce.contents,
        taskforce.idempotency_keys, taskforce.facts, taskforce.deltas, taskforce.watched`)
    for (const { id, weight, maxRunning = null } of SIM_TENANTS) {
      await this.#owner.query(
        `insert into taskforce.tenants (id, name, weight, max_running) values ($1, gen_random_uuid()::text, $2, $3)
         on conflict (id) do update set weight = excluded.weight, max_running = excluded.max_running, turns = 0`,
        [id, weight, maxRunning],
      )
    }
  }

  async execute(session: Session, query: SimQuery, now: number): Promise<QueryResult> {
    if (now !== this.#at) await this.#now.setNow(now)
    this.#at = now
    const client = await this.#clientOf(session)
    if (session.pool === 'engine' || OUTSIDE_TRANSACTIONS.test(query.text)) return this.#try(client, query)
    // What is blocked is tried again, and must not take what was done before with it.
    await client.query('savepoint waiting')
    try {
      return await this.#try(client, query)
    } catch (error) {
      if (error instanceof Blocked) await client.query('rollback to savepoint waiting')
      throw error
    }
  }

  async #try(client: Client, query: SimQuery): Promise<QueryResult> {
    try {
      return await client.query(query)
    } catch (error) {
      if (error instanceof DatabaseError && error.code === LOCKED) throw new Blocked()
      throw error
    }
  }

  async #clientOf({ id }: Session): Promise<Client> {
    const known = this.#clients.get(id)
    if (known !== undefined) return known
    const client = new Client({ connectionString: this.#appUrl, lock_timeout: LOCK_MS })
    this.#clients.set(id, client)
    await client.connect()
    return client
  }

  async abort(session: Session): Promise<void> {
    if (session.pool === 'api')
      await this.#clients
        .get(session.id)
        ?.query('select 1 / 0')
        .catch(() => undefined)
  }

  async disconnect({ id }: Session): Promise<void> {
    const client = this.#clients.get(id)
    this.#clients.delete(id)
    await client?.end()
  }

  async snapshot(): Promise<Snapshot> {
    const missions = await this.#owner.query<MissionRecord>(`${MISSION_ROWS} order by created_at, id`)
    const events = await this.#owner.query<EventRecord>(EVENT_ROWS)
    const instances = await this.#owner.query<Snapshot['instances'][number]>(INSTANCES)
    return { missions: missions.rows, events: events.rows, instances: instances.rows }
  }

  async close(): Promise<void> {
    for (const client of this.#clients.values()) await client.end()
    await this.#owner.end()
    await this.#now.close()
  }
}

const INSTANCES = `
  select id, (extract(epoch from alive_until) * 1000)::float8 as "aliveUntil" from taskforce.instances`
