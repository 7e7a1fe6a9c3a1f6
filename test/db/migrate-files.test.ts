import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createMigration } from '../../src/db/migrate/new-migration.ts'
import { migrationLabel, readMigrations } from '../../src/db/migrate/read-migrations.ts'
import { splitStatements } from '../../src/db/migrate/split-statements.ts'
import { migrateUp } from '../../src/db/migrate/up.ts'
import { CODE_REVISION, schemaFits } from '../../src/db/schema-revision.ts'
import { aDatabase, CURRENT, later, migrationsOnly, migrationsWith } from './migrate-folder.ts'

describe('code and schema', () => {
  test.each([
    { schema: { revision: 5, minCode: 5 }, code: 5, fit: 'ok', why: 'the same' },
    { schema: { revision: 6, minCode: 5 }, code: 5, fit: 'ok', why: 'expanded before the code comes' },
    { schema: { revision: 9, minCode: 5 }, code: 5, fit: 'ok', why: 'the code was rolled back' },
    {
      schema: { revision: 6, minCode: 6 },
      code: 5,
      fit: 'code-too-old',
      why: 'the schema is not for this code any more',
    },
    { schema: { revision: 4, minCode: 1 }, code: 5, fit: 'schema-too-old', why: 'not migrated yet' },
    { schema: { revision: 0, minCode: 0 }, code: 1, fit: 'schema-too-old', why: 'all taken back' },
  ])(
    'revision $schema.revision for code $schema.minCode and newer, code $code: $fit ($why)',
    ({ schema, code, fit }) => {
      expect(schemaFits(schema, code)).toBe(fit)
    },
  )

  test('the code knows the newest migration and works with what that leaves', async () => {
    const newest = (await readMigrations()).at(-1)
    expect(newest?.revision).toBe(CODE_REVISION)
    expect(newest?.minCode).toBeLessThanOrEqual(CODE_REVISION)
  })
})

describe('migration files', () => {
  const up = '-- minCode: 1\nselect 1;\n'
  const down = 'select 1;\n'
  test.each([
    ['a name without a number', { 'add.up.sql': up }, 'add.up.sql is not named NNNN_words'],
    ['no down file', { '0001_a.up.sql': up }, "0001_a.down.sql can't be read (ENOENT)"],
    ['no up file', { '0001_a.down.sql': down }, '0001_a.down.sql has no up file'],
    [
      'a number twice',
      { '0001_a.up.sql': up, '0001_a.down.sql': down, '0001_b.up.sql': up, '0001_b.down.sql': down },
      'two with the number 0001',
    ],
    ['no minCode', { '0001_a.up.sql': 'select 1;\n', '0001_a.down.sql': down }, 'the first line of 0001_a.up.sql'],
    [
      'a minCode of code that is not there yet',
      { '0001_a.up.sql': '-- minCode: 2\nselect 1;\n', '0001_a.down.sql': down },
      'N from 1 to 1',
    ],
    [
      'a commit of its own',
      { '0001_a.up.sql': '-- minCode: 1\nselect 1; /* so */ COMMIT;\n', '0001_a.down.sql': down },
      '0001_a.up.sql has a "COMMIT"',
    ],
  ])('are refused with %s', async (_, files: Record<string, string>, message) => {
    await expect(readMigrations(await migrationsOnly(files))).rejects.toMatchObject({
      code: 'migration_files_wrong',
      message: expect.stringContaining(message),
    })
  })

  test('say in their head whether they run in a transaction', async () => {
    const concurrent = '-- minCode: 1\n-- Builds an index.\n-- no-transaction\nselect 1;\n'
    const late = '-- minCode: 1\nselect 1;\n-- no-transaction\n'
    const files = {
      '0001_a.up.sql': concurrent,
      '0001_a.down.sql': down,
      '0002_b.up.sql': late,
      '0002_b.down.sql': down,
    }
    const migrations = await readMigrations(await migrationsOnly(files))
    expect(migrations.map((migration) => migration.up.transaction)).toEqual([false, true])
  })

  test.each([
    ['select 1; select 2', ['select 1', 'select 2']],
    [`select ';', "a;b", e'\\';', 'it''s;'; x`, [`select ';', "a;b", e'\\';', 'it''s;'`, 'x']],
    ['do $$ begin a; end $$; do $f$ $$;$$ $f$', ['do $$ begin a; end $$', 'do $f$ $$;$$ $f$']],
    ['a -- one; two\n/* ; */ b; -- the end', ['a  \n  b']],
  ])('are cut into statements: %s', (sql, statements) => {
    expect(splitStatements(sql)).toEqual(statements)
  })
})

describe('new', () => {
  test('writes the next two files under a name in snake case, and they are refused until they say something', async () => {
    const dir = await migrationsWith({})
    const { revision, files } = await createMigration('Add Labels-toMissions!', dir)
    expect(revision).toBe(CURRENT.revision + 1)
    expect(files.map((file) => basename(file))).toEqual([
      `${later('add_labels_to_missions')}.up.sql`,
      `${later('add_labels_to_missions')}.down.sql`,
    ])
    expect(await readFile(files[0], 'utf8')).toMatch(new RegExp(`^-- minCode: ${CURRENT.revision}\\n`))
    expect((await readMigrations(dir)).map(migrationLabel)).toEqual([
      ...CURRENT.applied,
      later('add_labels_to_missions'),
    ])
    const { ownerUrl } = await aDatabase()
    await expect(migrateUp(ownerUrl, { dir })).rejects.toMatchObject({ code: 'migration_empty' })
  })

  test('refuses a name that gives no file name', async () => {
    await expect(createMigration('!', await migrationsWith({}))).rejects.toMatchObject({ code: 'migration_name_wrong' })
  })
})
