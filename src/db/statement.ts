import type { ClientBase, QueryConfig, QueryResultRow } from 'pg'

/** One statement as a value, and how its rows are read: it may be sent by itself, or with others in one packet. */
export interface Statement<Result> {
  query: QueryConfig
  read(rows: QueryResultRow[]): Result
}

/** What statements give, in their order. */
export type Results<Statements extends readonly Statement<unknown>[]> = {
  [K in keyof Statements]: Statements[K] extends Statement<infer Result> ? Result : never
}

/** Sends statements one behind the other without waiting in between where the connection is pipelined. */
export async function send<const Statements extends readonly Statement<unknown>[]>(
  client: Pick<ClientBase, 'query'>,
  statements: Statements,
): Promise<Results<Statements>> {
  const results = await Promise.all(
    statements.map(async ({ query, read }) => read((await client.query<QueryResultRow>(query)).rows)),
  )
  return results as Results<Statements>
}
