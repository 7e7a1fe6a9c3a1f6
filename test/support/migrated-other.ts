import { randomBytes } from 'node:crypto'
import { migrateUp } from '../../src/db/migrate/up.ts'
import { createLogins } from '../../src/db/roles.ts'
import { APP, OWNER, urlFor, withSuper } from './global-setup.ts'
import type { ThrowawayPostgres } from '../../src/local/postgres/start-throwaway.ts'
import type { TestDatabase } from './postgres.ts'

/** A migrated database on a server of another version, with the logins; its superuser URL is for psql and pg_dump. */
export async function createMigrated(
  { superUrl }: ThrowawayPostgres,
  migrationsDir?: string,
): Promise<TestDatabase & { superUrl: string }> {
  const name = `taskforce_test_${randomBytes(6).toString('hex')}`
  await withSuper(superUrl, (client) => createLogins(client, { owner: OWNER, app: APP, database: name }))
  const ownerUrl = urlFor(superUrl, OWNER, name)
  await migrateUp(ownerUrl, { dir: migrationsDir })
  const own = new URL(superUrl)
  own.pathname = `/${name}`
  return {
    name,
    appUrl: urlFor(superUrl, APP, name),
    ownerUrl,
    superUrl: own.href,
    drop: () => withSuper(superUrl, async (client) => void (await client.query(`drop database ${name} with (force)`))),
  }
}
