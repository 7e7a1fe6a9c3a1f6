import { createDatabases } from '../../src/db/connection.ts'
import type { EngineDb } from '../../src/db/connection.ts'
import { open, type Opened } from '../backup/open.ts'
import type { Context } from '../backup/context.ts'

/** Runs `work` with the deployment's database and stores, and closes what it opened. */
export async function withPool<T>(
  context: Context,
  options: { data: string },
  work: (db: EngineDb, opened: Opened) => Promise<T>,
): Promise<T> {
  const opened = open(options, context)
  const { databaseUrl: url, connect } = opened
  const databases = createDatabases({ url, pooler: undefined, password: connect.password, onError: () => undefined })
  try {
    return await work(databases.engine, opened)
  } finally {
    await databases.close()
  }
}
