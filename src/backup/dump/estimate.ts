import type { ClientBase } from 'pg'
import { TerminalError } from '../../domain/errors.ts'

/** Bytes that the rows of the schema take on disk, TOAST included, previews not. The text of JSON is up to three times as long. */
export async function estimateBytes(client: ClientBase): Promise<number> {
  const { rows } = await client.query<{ bytes: string }>(
    `select coalesce(sum(pg_catalog.pg_table_size(oid)), 0) as bytes from pg_catalog.pg_class
     where relnamespace = pg_catalog.to_regnamespace('taskforce') and relkind = 'r' and relpersistence = 'p'`,
  )
  return Number(rows[0]?.bytes ?? 0)
}

/** Throws TerminalError `backup_too_large`. */
export function refuseTooLarge(estimate: number, limitBytes: number | undefined): void {
  if (limitBytes === undefined || estimate <= limitBytes) return
  const megabytes = (bytes: number) => `${Math.ceil(bytes / 1_000_000)} MB`
  throw new TerminalError(
    'backup_too_large',
    `The database has about ${megabytes(estimate)} to back up, and one run here may take ${megabytes(limitBytes)}, so it was not begun.`,
    {
      hint: 'Run it where there is more time, by hand for example (npm run backup -- now), or let retention take old missions away.',
    },
  )
}
