import { DatabaseError, escapeIdentifier, type Client } from 'pg'
import { qualified } from '../plain/quote.ts'
import { firstOf, type Check } from './check.ts'

/** A sequence, and the column that takes its values where there is one. */
interface Sequence {
  name: string
  table: string | null
  column: string | null
  /** Those of the table that are given a value when a row is written. */
  others: string[]
}

const SEQUENCES = `
select s.relname::text as name, t.relname::text as table, a.attname::text as column,
  array(select o.attname::text from pg_catalog.pg_attribute o where o.attrelid = t.oid and o.attnum > 0 and not o.attisdropped
    and o.attgenerated = '' and o.attidentity = '' and o.attnum <> a.attnum order by o.attnum) as others
from pg_catalog.pg_class s
left join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = s.oid and d.deptype in ('a', 'i')
  and d.refclassid = d.classid
left join pg_catalog.pg_class t on t.oid = d.refobjid
left join pg_catalog.pg_attribute a on a.attrelid = t.oid and a.attnum = d.refobjsubid
where s.relnamespace = 'taskforce'::pg_catalog.regnamespace and s.relkind = 'S'
order by 1`

const UNIQUE_VIOLATION = '23505'

/**
 * The first write through each sequence works: its next value is past the backup's and past every row, and a row with it goes in.
 * A restore without the sequences' values is healthy until then. All of it is undone.
 */
export const checkSequences: Check = async (client, { manifest }) => {
  const { rows } = await client.query<Sequence>(SEQUENCES)
  const wrong: string[] = []
  for (const sequence of rows) {
    const known = manifest.contents.sequences.find(({ name }) => name === sequence.name)
    if (known === undefined) {
      wrong.push(`${sequence.name} is not in the manifest`)
      continue
    }
    await client.query('begin; set local statement_timeout = 0')
    try {
      const next = await nextOf(client, sequence.name)
      if (next < BigInt(known.lastValue) || (known.isCalled && next === BigInt(known.lastValue))) {
        wrong.push(`${sequence.name} goes on with ${next}, and was at ${known.lastValue}`)
      }
      wrong.push(...(await writeThrough(client, sequence, next)))
    } finally {
      await client.query('rollback')
    }
  }
  return firstOf(wrong)
}

async function nextOf(client: Client, name: string): Promise<bigint> {
  const { rows } = await client.query<{ next: string }>('select nextval($1::regclass)::text as next', [qualified(name)])
  return BigInt(rows[0]?.next ?? 0)
}

/** With a row like the one that is there, which has all that the table's rules ask for. */
async function writeThrough(
  client: Client,
  { name, table, column, others }: Sequence,
  next: bigint,
): Promise<string[]> {
  if (table === null || column === null) return []
  const { rows } = await client.query<{ top: string | null }>(
    `select max(${escapeIdentifier(column)})::text as top from ${qualified(table)}`,
  )
  const top = rows[0]?.top ?? null
  if (top !== null && BigInt(top) >= next) return [`${name} goes on with ${next}, and ${table} has ${top} already`]
  const columns = others.map(escapeIdentifier).join(', ')
  try {
    await client.query(
      others.length === 0
        ? `insert into ${qualified(table)} default values`
        : `insert into ${qualified(table)} (${columns}) select ${columns} from ${qualified(table)} limit 1`,
    )
    return []
  } catch (error) {
    // Another column may have to be unique as well: the row that is there stands in the way, and not the sequence.
    if (
      error instanceof DatabaseError &&
      error.code === UNIQUE_VIOLATION &&
      !(error.detail ?? '').includes(`(${column})`)
    )
      return []
    return [
      `a row of ${table} can't be written through ${name}: ${error instanceof Error ? error.message : String(error)}`,
    ]
  }
}
