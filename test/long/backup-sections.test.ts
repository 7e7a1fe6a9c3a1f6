import { chmod, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { makeSections } from '../../src/backup/dump/make-sections.ts'
import { readSections, sectionsDir } from '../../src/backup/dump/sections.ts'
import { checkDatabase } from '../../src/db/migrate/check.ts'
import { migrateUp } from '../../src/db/migrate/up.ts'
import { CODE_REVISION } from '../../src/db/schema-revision.ts'
import { startThrowaway, type ThrowawayPostgres } from '../../src/local/postgres/start-throwaway.ts'
import { findOther } from '../support/other-postgres.ts'
import { dumpToMemory, inEmptyDatabase, restoreWithPsql } from '../support/plain-backup.ts'
import { createTestDatabase } from '../support/postgres.ts'

const binaries = await findOther(15)

describe.skipIf(binaries === undefined)('the sections made by pg_dump 15', () => {
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

  it('are the committed ones, of every revision: else run "npm run backup -- sections"', async () => {
    await makeSections({ superUrl: postgres.superUrl, pgDump: 'pg_dump', outDir: folder })
    const names = (await readdir(folder)).sort()
    expect((await readdir(sectionsDir())).sort()).toEqual(names)
    expect(names).toContain(`${String(CODE_REVISION).padStart(4, '0')}.post.sql`)
    for (const name of names) {
      const made = await readFile(join(folder, name), 'utf8')
      expect(`${name}\n${await readFile(join(sectionsDir(), name), 'utf8')}`).toBe(`${name}\n${made}`)
    }
  })

  it('are not made by another pg_dump', async () => {
    const other = join(folder, 'pg_dump_16')
    await writeFile(other, '#!/bin/sh\necho "pg_dump (PostgreSQL) 16.2"\n')
    await chmod(other, 0o755)
    const making = makeSections({ superUrl: postgres.superUrl, pgDump: other, outDir: join(folder, 'none') })
    await expect(making).rejects.toMatchObject({ code: 'pg_dump_wrong', message: expect.stringContaining('16.2') })
    const missing = makeSections({
      superUrl: postgres.superUrl,
      pgDump: join(folder, 'no'),
      outDir: join(folder, 'none'),
    })
    await expect(missing).rejects.toMatchObject({ code: 'pg_dump_wrong' })
    await expect(readdir(join(folder, 'none'))).rejects.toThrow('ENOENT')
  })

  it('are not made from another server', async () => {
    const making = makeSections({
      superUrl: inject('databaseSuperUrl'),
      pgDump: 'pg_dump',
      outDir: join(folder, 'none'),
    })
    await expect(making).rejects.toMatchObject({ code: 'pg_dump_wrong' })
  })
})

describe('the sections', () => {
  let folder: string

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'taskforce-sections-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  it('of an older revision make a backup that is restored and migrated', async () => {
    for (let revision = 1; revision < CODE_REVISION; revision++) {
      const database = await createTestDatabase({ migrated: false })
      await migrateUp(database.ownerUrl, { to: revision })
      const { contents, plain } = await dumpToMemory(database.appUrl)
      expect(contents).toMatchObject({ revision, drift: [] })
      await inEmptyDatabase(inject('databaseSuperUrl'), async (url) => {
        await restoreWithPsql(url, plain)
        await migrateUp(url)
        expect(await checkDatabase(url)).toMatchObject({ revision: CODE_REVISION, drift: [] })
      })
      await database.drop()
    }
  })

  it('are those of the newest revision that is not newer', async () => {
    expect(await readSections(CODE_REVISION + 5)).toMatchObject({ revision: CODE_REVISION })
    await expect(readSections(CODE_REVISION, folder)).rejects.toMatchObject({ code: 'backup_no_sections' })
    await expect(readSections(CODE_REVISION, join(folder, 'none'))).rejects.toMatchObject({
      code: 'backup_no_sections',
    })
  })
})
