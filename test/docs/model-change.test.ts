import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { urlFor, withSuper } from '../support/global-setup.ts'
import { createTestDatabase, withConnection, type TestDatabase } from '../support/postgres.ts'

/** Whether a model can be taken away is asked with the lines of the page: an answer that is nothing would take it from missions. */

const page = readFileSync('docs/runbooks/model-change.md', 'utf8')
const statements = [...page.matchAll(/-c "([^"]+)"/g)].map(([, sql = '']) => sql)

const suffix = randomBytes(4).toString('hex')
const MEMBER = { name: `member_${suffix}`, password: 'x' }
const READER = { name: `reader_${suffix}`, password: 'x' }

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
  await withSuper(inject('databaseSuperUrl'), async (client) => {
    await client.query(`create role ${MEMBER.name} login password 'x'; grant taskforce_owner to ${MEMBER.name}`)
    // May read every table, as administrators may on Azure, and no row that a policy keeps from them.
    await client.query(`create role ${READER.name} login password 'x'; grant pg_read_all_data to ${READER.name}`)
  })
  await withConnection(database.ownerUrl, (client) =>
    client.query(`
      insert into taskforce.profiles (tenant_id, hash, name, body) select id, model, model, json_build_object('model',
        json_build_object('name', model)) from taskforce.tenants, unnest(array['OLD', 'NEW']) model;
      insert into taskforce.missions (id, tenant_id, status, goal, profile, profile_hash)
        select gen_random_uuid(), id, status, 'x', model, model from taskforce.tenants,
          (values ('queued', 'OLD'), ('completed', 'OLD'), ('queued', 'NEW'), ('waiting', 'NEW')) as each (status, model)`),
  )
})
afterAll(async () => {
  await database.drop()
  await withSuper(inject('databaseSuperUrl'), (client) =>
    client.query(`drop role ${MEMBER.name}; drop role ${READER.name}`),
  )
})

function askAs(login: typeof MEMBER): Promise<unknown[]> {
  return withConnection(urlFor(inject('databaseSuperUrl'), login, database.name), async (client) => {
    let rows: unknown[] = []
    for (const sql of statements) ({ rows } = await client.query(sql))
    return rows
  })
}

it('counts the unfinished missions of the old model beside all', async () => {
  expect(await askAs(MEMBER)).toEqual([
    { missions: '4', unfinished: '3', of_old: '1', some_of_old: [expect.stringMatching(/^[\da-f-]{36}$/)] },
  ])
})

it('is an error, and not nothing, for a login that no row is shown', async () => {
  await expect(askAs(READER)).rejects.toThrow('permission denied to set role')
  expect(page).toContain('psql -v ON_ERROR_STOP=1 ')
})
