import type { Client } from 'pg'
import { to as copyToStream } from 'pg-copy-streams'
import { TerminalError } from '../../domain/errors.ts'
import { type CopiedTable, copyTo } from '../plain/form.ts'
import { type RowSum, sumRows } from '../plain/sum-rows.ts'

/**
 * A table's rows in COPY's text form, in chunks of some 64 KB, each taken before the next is read: the database waits for
 * whoever writes. `watch` stands around every wait. Throws TerminalError `backup_rows_wrong` where the rows are not as many as
 * the database says, or could be taken for the end of the block.
 */
export async function copyOut(
  client: Client,
  table: CopiedTable,
  take: (chunk: Buffer) => Promise<void>,
  watch: <T>(waiting: Promise<T>) => Promise<T>,
): Promise<RowSum> {
  const sum = sumRows()
  const stream = client.query(copyToStream(copyTo(table)))
  // Between two reads nobody listens, and an error then would end the process; the next read gets it all the same.
  stream.on('error', () => undefined)
  const chunks: AsyncIterator<Buffer> = stream[Symbol.asyncIterator]()
  for (;;) {
    const next = await watch(chunks.next())
    if (next.done === true) break
    sum.add(next.value)
    if (sum.sawEndMark()) throw wrong(table, 'a row begins like the end of the block')
    await watch(take(next.value))
  }
  // The command's tag comes after the last row, and before the answer to anything else.
  await watch(client.query('select'))
  const counted = sum.end()
  if (counted.rows !== stream.rowCount) {
    throw wrong(table, `the database says that it sent ${stream.rowCount} rows, and ${counted.rows} came`)
  }
  return counted
}

function wrong({ table }: CopiedTable, why: string): TerminalError {
  return new TerminalError(
    'backup_rows_wrong',
    `The rows of ${JSON.stringify(table)} did not come as they should: ${why}. The backup was given up.`,
    {
      hint: 'Something between here and Postgres may have changed them: connect to Postgres itself (DATABASE_DIRECT_URL).',
    },
  )
}
