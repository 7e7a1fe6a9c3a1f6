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

/** Of the seed, as the file has it. */
const POSTGRES = {
  image: 'postgres:15-alpine',
  container_name: 'taskforce-postgres',
  environment: {
    POSTGRES_DB: 'taskforce',
    POSTGRES_USER: 'taskforce',
    POSTGRES_PASSWORD: expect.stringMatching(/^\$\{DB_PASSWORD:\?/) as unknown,
    POSTGRES_INITDB_ARGS: '--encoding=UTF8 --locale=en_US.utf8',
    DB_PASSWORD: '${DB_PASSWORD}',
  },
  volumes: ['postgres_data:/var/lib/postgresql/data', './init.sql:/docker-entrypoint-initdb.d/init.sql:ro'],
  ports: ['127.0.0.1:5432:5432'],
  healthcheck: { test: ['CMD-SHELL', 'pg_isready -U taskforce'], interval: '10s', timeout: '5s', retries: 5 },
}

it('the compose file has the Postgres of the seed, on this machine alone', () => {
  const compose = parse(readFileSync('docker-compose.yml', 'utf8')) as Compose
  expect(compose).toMatchObject({
    services: { postgres: POSTGRES },
    volumes: { postgres_data: { driver: 'local' }, azurite_data: { driver: 'local' } },
    networks: { default: { name: 'taskforce-network' } },
  })
  expect(Object.keys(compose)).not.toContain('version')
  for (const service of Object.values(compose.services)) {
    expect(service).toMatchObject({ logging: { driver: 'json-file', options: { 'max-size': '10m', 'max-file': '3' } } })
  }
})

it('.env.example has all that the compose file asks for', () => {
  const asked = readFileSync('docker-compose.yml', 'utf8').matchAll(/\$\{(\w+)/g)
  const given = [...readFileSync('.env.example', 'utf8').matchAll(/^(\w+)=./gm)].map(([, name]) => name)
  expect(given).toEqual([...new Set([...asked].map(([, name]) => name))])
})

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
