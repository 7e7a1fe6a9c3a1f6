import { readFile } from 'node:fs/promises'
import { zstdDecompressSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadBackup } from '../../src/backup/restore/load-backup.ts'
import { startThrowaway, type ThrowawayPostgres } from '../../src/local/postgres/start-throwaway.ts'
import { writeNastyRows } from '../backup/nasty-rows.ts'
import { APP, urlFor, withSuper } from '../support/global-setup.ts'
import { findOther } from '../support/other-postgres.ts'
import { dumpToMemory, restoreWithPsql } from '../support/plain-backup.ts'
import { createTestDatabase, withConnection } from '../support/postgres.ts'
import { takeBackup, type TakenBackup } from '../support/taken-backups.ts'

/** No superuser: it may make roles and databases, and owns those that it restores into. */
const KEEPER = { name: 'Keeper "K"', password: 'x' }
const RUNBOOK = new URL('../../docs/runbooks/backup-and-restore.md', import.meta.url)

describe.each([15, 16, 17, 18])(
  'psql by a login without a superuser, into a new server of Postgres %i',
  async (major) => {
    const binaries = await findOther(major)

    describe.skipIf(binaries === undefined)('restores a backup', () => {
      let postgres: ThrowawayPostgres
      let backup: TakenBackup
      const url = (database: string, login = KEEPER) => urlFor(postgres.superUrl, login, database)
      const query = async (to: string, sql: string) =>
        withConnection(to, async (client) => (await client.query(sql)).rows as unknown[])

      beforeAll(async () => {
        const source = await createTestDatabase()
        await withConnection(source.ownerUrl, writeNastyRows)
        backup = await takeBackup(source.appUrl)
        await source.drop()
        postgres = await startThrowaway(binaries!)
        await withSuper(postgres.superUrl, async (client) => {
          await client.query(`create role "Keeper ""K""" login createrole createdb`)
          await client.query(`create role bystander login createrole createdb`)
          for (const name of ['one', 'two', 'three']) await client.query(`create database ${name} owner "Keeper ""K"""`)
          await client.query('create database four owner bystander')
        })
      }, 120_000)
      afterAll(() => postgres?.stop())

      it('also twice at once, and everything belongs to taskforce_owner', async () => {
        const plain = zstdDecompressSync(backup.stored)
        await Promise.all([restoreWithPsql(url('one'), plain), restoreWithPsql(url('two'), plain)])
        await restoreWithPsql(url('three'), plain)
        for (const database of ['one', 'two', 'three']) {
          const owners = `select distinct tableowner as owner from pg_tables where schemaname = 'taskforce'`
          expect(await query(url(database), owners)).toEqual([{ owner: 'taskforce_owner' }])
        }
      })

      it('and the app’s login works there with the grants of the runbook', async () => {
        const runbook = await readFile(RUNBOOK, 'utf8')
        const title = major === 15 ? '-- Postgres 15' : '-- Postgres 16 and later'
        const [, sql = ''] = new RegExp(`^${title}\n(.*?)^\`\`\``, 'ms').exec(runbook) ?? []
        await query(url('one'), sql)
        const app = url('one', APP)
        const { contents } = await dumpToMemory(app)
        expect(contents).toMatchObject({ tables: backup.manifest.contents.tables, missing: [], drift: [] })
        expect(await query(app, `select count(*)::int > 0 as any from taskforce.missions`)).toEqual([{ any: true }])
        await expect(query(app, 'delete from taskforce.missions')).rejects.toThrow('permission denied')
        await expect(query(app, 'set role taskforce_owner')).rejects.toThrow('permission denied')
        await query(app, 'set role taskforce_retention')
        await query(url('one'), 'set role taskforce_backup; reset role; set role taskforce_retention')
      })

      it('and a drill there makes nobody a member', async () => {
        const bystander = url('four', { name: 'bystander', password: 'x' })
        await withConnection(bystander, async (client) => {
          await client.query('begin')
          await loadBackup(client, { manifest: backup.manifest, chunks: backup.chunks() }, { ownTables: true })
          await client.query('commit')
        })
        const member = `select pg_has_role('bystander', 'taskforce_owner', 'usage') as member`
        expect(await query(bystander, member)).toEqual([{ member: false }])
      })
    })
  },
)
