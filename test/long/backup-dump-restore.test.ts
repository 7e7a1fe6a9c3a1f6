import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeSections } from '../../src/backup/dump/make-sections.ts'
import { tableSums } from '../../src/backup/dump/table-sums.ts'
import { verifyPlain } from '../../src/backup/plain/verify-plain.ts'
import { migrationsDir } from '../../src/db/migrate/migrations-dir.ts'
import { createMigrated } from '../support/migrated-other.ts'
import { startThrowaway, type ThrowawayPostgres } from '../../src/local/postgres/start-throwaway.ts'
import { findOther } from '../support/other-postgres.ts'
import { dumpToMemory, inEmptyDatabase, pgDump, restoreWithPsql } from '../support/plain-backup.ts'
import { withConnection } from '../support/postgres.ts'
import { VALUES_TABLE, VALUES_TYPES, writeNastyRows, writeOddValues } from '../backup/nasty-rows.ts'

const binaries = await findOther(15)

describe.skipIf(binaries === undefined)('a dump of Postgres 15', () => {
  let postgres: ThrowawayPostgres
  let folder: string

  beforeAll(async () => {
    postgres = await startThrowaway(binaries!)
    folder = await mkdtemp(join(tmpdir(), 'taskforce-sections-'))
  })
  afterAll(async () => {
    await postgres?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  it('is restored by plain psql, and pg_dump finds no difference', async () => {
    const source = await createMigrated(postgres)
    await withConnection(source.ownerUrl, writeNastyRows)
    const { contents, plain } = await dumpToMemory(source.appUrl)
    expect(contents).toMatchObject({ revision: 3, drift: [], sequences: [] })
    expect(contents.tables.map(({ name }) => name)).not.toContain('deltas')
    await verifyPlain(chunked(plain), contents)
    await inEmptyDatabase(postgres.superUrl, async (copy) => {
      await restoreWithPsql(copy, plain)
      expect(await pgDump(copy)).toBe(await pgDump(source.superUrl))
      const sums = await withConnection(copy, (client) => tableSums(client, contents.tables))
      expect(sums).toEqual(contents.tables.map(({ name, rows, bytes, sha256 }) => ({ name, rows, bytes, sha256 })))
    })
    await source.drop()
  })

  it('carries every kind of value and name, and sequences go on', async () => {
    const migrations = join(folder, 'migrations')
    await cp(migrationsDir(), migrations, { recursive: true })
    await writeFile(join(migrations, '0004_odd.up.sql'), `-- minCode: 1\n${VALUES_TYPES}\n${VALUES_TABLE}\n${READABLE}`)
    await writeFile(join(migrations, '0004_odd.down.sql'), 'select 1;')
    const sectionsDir = join(folder, 'schema')
    await makeSections({
      superUrl: postgres.superUrl,
      pgDump: 'pg_dump',
      outDir: sectionsDir,
      migrationsDir: migrations,
    })
    const source = await createMigrated(postgres, migrations)
    await withConnection(source.ownerUrl, writeOddValues)
    await withConnection(source.superUrl, (client) => client.query(hostile(source.name)))
    const { contents, plain } = await dumpToMemory(source.appUrl, { sectionsDir })
    // pg_dump itself writes what these make of bytes and times.
    await withConnection(source.superUrl, (client) => client.query(`alter database ${source.name} reset all`))
    expect(contents).toMatchObject({ revision: 4, drift: [] })
    expect(contents.sequences).toContainEqual({ name: 'counter', lastValue: '44', isCalled: true })
    expect(contents.tables.find(({ name }) => name === 'empty')).toMatchObject({ columns: [], rows: 3, bytes: 3 })
    await verifyPlain(chunked(plain), contents)
    await inEmptyDatabase(postgres.superUrl, async (copy) => {
      await restoreWithPsql(copy, plain)
      expect(await pgDump(copy)).toBe(await pgDump(source.superUrl))
      await withConnection(copy, async (client) => {
        const { rows } = await client.query(
          `insert into taskforce."Odd ""name" (n) values (1) returning id, other, nextval('taskforce.counter') as counter`,
        )
        expect(rows).toEqual([{ id: '4', other: 121, counter: '47' }])
      })
    })
    await source.drop()
  })
})

const READABLE = `
grant select on all tables in schema taskforce to taskforce_backup;
grant select on all sequences in schema taskforce to taskforce_backup;`

/** Settings of a database under which the same rows would look otherwise, or could not be read in peace. */
function hostile(database: string): string {
  const settings = {
    datestyle: `'sql, dmy'`,
    intervalstyle: 'sql_standard',
    extra_float_digits: '-10',
    bytea_output: 'escape',
    timezone: `'Asia/Kathmandu'`,
    search_path: 'taskforce',
    default_transaction_isolation: `'read committed'`,
  }
  return Object.entries(settings)
    .map(([name, value]) => `alter database ${database} set ${name} = ${value}`)
    .join('; ')
}

async function* chunked(plain: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < plain.length; at += 65_536) yield plain.subarray(at, at + 65_536)
}
