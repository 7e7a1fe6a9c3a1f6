import { DatabaseError, type Client } from 'pg'
import type { DumpedTable } from '../manifest.ts'
import { copyOut } from './copy-out.ts'
import { setRowForm } from './session.ts'

/** SQLSTATE of "only in a transaction". */
const NO_TRANSACTION = '25P01'

/**
 * What the rows of live tables of the schema `taskforce` add up to, in the same text form as in a backup, for comparing. Runs in
 * the open transaction and leaves its settings as they were, or in one of its own. The order of rows counts: a restored table
 * has them in that of its backup as long as nobody has changed any.
 */
export async function tableSums(
  client: Client,
  tables: readonly Pick<DumpedTable, 'name' | 'columns'>[],
): Promise<Omit<DumpedTable, 'columns'>[]> {
  const end = await beginWithin(client)
  try {
    await setRowForm(client)
    const sums: Omit<DumpedTable, 'columns'>[] = []
    for (const { name, columns } of tables) {
      const sum = await copyOut(
        client,
        { table: name, columns },
        async () => undefined,
        (waiting) => waiting,
      )
      sums.push({ name, ...sum })
    }
    return sums
  } finally {
    await client.query(end)
  }
}

/** A savepoint takes `set local` back with it. Answers what ends it. */
async function beginWithin(client: Client): Promise<string> {
  try {
    await client.query('savepoint table_sums')
    return 'rollback to savepoint table_sums; release savepoint table_sums'
  } catch (error) {
    if (!(error instanceof DatabaseError && error.code === NO_TRANSACTION)) throw error
    await client.query('begin isolation level repeatable read read only')
    return 'rollback'
  }
}
