import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, expect, it } from 'vitest'
import { parse } from 'yaml'
import { createDatabases } from '../../src/db/connection.ts'
import { inTenant } from '../../src/db/in-tenant.ts'
import { migrateUp } from '../../src/db/migrate/up.ts'
import { startPostgres, type LocalPostgres } from '../../src/local/postgres/start-postgres.ts'
import { DEFAULT_TENANT } from '../../src/missions/context.ts'

const folder = mkdtempSync(join(tmpdir(), 'taskforce-compose-'))
let postgres: LocalPostgres | undefined

afterAll(async () => {
  await postgres?.stop()
  rmSync(folder, { recursive: true, force: true })
})

interface Compose {
  services: Record<string, { ports: string[]; restart: string; healthcheck: { test: string[] }; volumes: string[] }>
}

it('the compose file keeps both services on this machine, watched, restarted, with their data', () => {
  const { services } = parse(readFileSync('docker-compose.yml', 'utf8')) as Compose
  expect(Object.keys(services)).toEqual(['postgres', 'azurite'])
  for (const service of Object.values(services)) {
    expect(service.restart).toBe('unless-stopped')
    expect(service.healthcheck.test[0]).toBe('CMD-SHELL')
    expect(service.volumes[0]).toMatch(/_data:/)
    for (const port of service.ports) expect(port).toMatch(/^127\.0\.0\.1:/)
  }
})

/** psql is what the image runs init.sql with; its two commands are done here by hand. */
function initSql(password: string): string {
  const sql = readFileSync('init.sql', 'utf8')
  expect(sql.match(/^\\.*$/gm)).toEqual(['\\getenv password DB_PASSWORD'])
  return sql.replace(/^\\.*$/m, '').replaceAll(":'password'", `'${password}'`)
}

it("init.sql makes a login whose API transactions see one tenant, and whose engine's statements see all", async () => {
  postgres = await startPostgres({ dataDir: join(folder, 'pg'), durable: false })
  const superClient = new Client({ connectionString: postgres.superUrl })
  await superClient.connect()
  await superClient.query(initSql('app_password'))
  await superClient.end()
  await migrateUp(postgres.superUrl)
  const url = `postgresql://taskforce_app:app_password@127.0.0.1:${postgres.port}/postgres`
  const databases = createDatabases({ url, pooler: undefined, onError: () => undefined })
  try {
    const { rows } = await databases.engine.query<{ n: number }>('select count(*)::int as n from taskforce.missions')
    expect(rows).toEqual([{ n: 0 }])
    const seen = await inTenant(databases.api, DEFAULT_TENANT, (tx) => tx.query('select name from taskforce.tenants'))
    expect(seen.rows).toEqual([{ name: 'default' }])
    const other = '00000000-0000-7000-8000-000000000002'
    expect((await inTenant(databases.api, other, (tx) => tx.query('select name from taskforce.tenants'))).rows).toEqual(
      [],
    )
    await expect(databases.engine.query('drop table taskforce.events')).rejects.toThrow('must be owner')
  } finally {
    await databases.close()
  }
})
