import { Client, escapeIdentifier } from 'pg'
import { z } from 'zod'

/** The clock of a database that no longer looks at the server's. */
export interface VirtualNow {
  /** For all statements that begin after this has resolved; a transaction's `now()` stays as it was when it began. */
  setNow(ms: number): Promise<void>
  close(): Promise<void>
}

/**
 * Functions before those of pg_catalog in the search path take their place in every statement that does not say which it
 * means; ours never do. A transaction of the API begins with `set_config('role', …)`, which notes the time for its `now()`. A
 * setting of a transaction that is over reads as an empty text.
 */
const SHADOWS = `
  create schema sim;
  create unlogged table sim.clock (at timestamptz not null);
  insert into sim.clock values (pg_catalog.now());
  create function sim.clock_timestamp() returns timestamptz language plpgsql volatile as
    $f$ begin return (select at from sim.clock); end $f$;
  create function sim.now() returns timestamptz language plpgsql stable as
    $f$ begin
      return coalesce(nullif(pg_catalog.current_setting('sim.begun', true), '')::timestamptz, (select at from sim.clock));
    end $f$;
  create function sim.set_config(name text, value text, local boolean) returns text language plpgsql volatile as
    $f$ begin
      if name = 'role' and local then
        perform pg_catalog.set_config('sim.begun', (select at::text from sim.clock), true);
      end if;
      return pg_catalog.set_config(name, value, local);
    end $f$;
  grant usage on schema sim to public;
  grant select on sim.clock to public`

const DEFAULTS = `
  select format('alter table %s alter column %I set default sim.%s', d.adrelid::regclass, a.attname,
    pg_get_expr(d.adbin, d.adrelid)) as change
  from pg_attrdef d join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
  join pg_class t on t.oid = d.adrelid
  where t.relnamespace = 'taskforce'::regnamespace and pg_get_expr(d.adbin, d.adrelid) in ('now()', 'clock_timestamp()')`

const changeSchema = z.object({ change: z.string() })

/**
 * Lets `now()` and `clock_timestamp()` of a scratch database stand still until they are set, for the engine's statements, for
 * the API's role and for the defaults of columns alike. Connections that were open before keep the server's clock.
 * @param ownerUrl of the login that owns the database and has migrated it
 */
export async function useVirtualNow(ownerUrl: string): Promise<VirtualNow> {
  const client = new Client({ connectionString: ownerUrl })
  await client.connect()
  await client.query(SHADOWS)
  for (const row of (await client.query(DEFAULTS)).rows) await client.query(changeSchema.parse(row).change)
  await client.query(`alter database ${escapeIdentifier(client.database ?? '')} set search_path = sim, pg_catalog`)
  return {
    setNow: async (ms) => {
      await client.query({
        name: 'set_now',
        text: 'update sim.clock set at = to_timestamp($1::float8 / 1000)',
        values: [ms],
      })
    },
    close: () => client.end(),
  }
}
