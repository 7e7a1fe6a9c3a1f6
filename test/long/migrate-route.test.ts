import { randomUUID } from 'node:crypto'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BUILD_FILE } from '../../src/build-id.ts'
import { CODE_REVISION } from '../../src/db/schema-revision.ts'
import { readDrain, setDrain } from '../../src/db/queries/drain.ts'
import { startTestApp, type TestApp } from '../support/environment.ts'
import { createTestDatabase, withConnection, type TestDatabase } from '../support/postgres.ts'

let database: TestDatabase
let app: TestApp
beforeEach(async () => {
  database = await createTestDatabase({ migrated: false })
})
afterEach(async () => {
  await app?.stop()
  await database.drop()
})

const settings = () => ({ APP_ROLE: 'migrator', DATABASE_URL: database.ownerUrl })

async function ask(body: unknown): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${app.url}/migrate`, { method: 'POST', body: JSON.stringify(body) })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

/** Of a tenant with its id, with a profile that no build can read. */
const MISSION = `
  insert into taskforce.tenants (id, name) values ('ID', 'ID');
  insert into taskforce.profiles (tenant_id, hash, name, body) values ('ID', 'h', 'dev', '{}');
  insert into taskforce.missions (id, tenant_id, status, goal, profile, profile_hash)
    values ('ID', 'ID', 'queued', 'Say hello', 'dev', 'h')`

/** One migration more than the code's own, which the code of before can't run with. */
async function withBreaking(folder: string): Promise<void> {
  const next = String(CODE_REVISION + 1).padStart(4, '0')
  const dir = join(folder, 'migrations')
  await writeFile(join(dir, `${next}_more.up.sql`), '-- minCode: 1\ncreate table taskforce.more (id integer);\n')
  await writeFile(join(dir, `${next}_more.down.sql`), 'drop table taskforce.more;\n')
  const after = String(CODE_REVISION + 2).padStart(4, '0')
  const up = `-- minCode: ${CODE_REVISION + 1}\ndrop table taskforce.more;\n`
  await writeFile(join(dir, `${after}_less.up.sql`), up)
  await writeFile(join(dir, `${after}_less.down.sql`), 'create table taskforce.more (id integer);\n')
}

describe('POST /migrate', () => {
  it('needs neither a queue nor an API key, and brings an empty database to the schema of the package', async () => {
    app = await startTestApp(settings())
    expect(await ask({ action: 'status' })).toMatchObject({ status: 200, body: { revision: 0, drain: null, held: 0 } })
    const { status, body } = await ask({ action: 'all' })
    expect(status).toBe(200)
    expect(body).toMatchObject({ revision: CODE_REVISION, codeRevision: CODE_REVISION, pending: [], drift: [] })
    expect(body['done']).toHaveLength(CODE_REVISION)
    expect(await ask({ action: 'all' })).toMatchObject({ status: 200, body: { done: [], revision: CODE_REVISION } })
  })

  it('says which build answers, as /health of the same package does', async () => {
    app = await startTestApp(settings(), (folder) =>
      writeFile(join(folder, BUILD_FILE), JSON.stringify({ build: '0123456789abcdef' })),
    )
    for (const body of [{ action: 'status' }, { action: 'all' }, { action: 'resume', by: 'deploy' }])
      expect((await ask(body)).body['build']).toBe('0123456789abcdef')
    await app.stop()
    app = await startTestApp({}, (folder) =>
      writeFile(join(folder, BUILD_FILE), JSON.stringify({ build: 'fedcba9876543210' })),
    )
    expect(await (await fetch(`${app.url}/health`)).json()).toMatchObject({ build: 'fedcba9876543210' })
  })

  it('expands as far as the code that runs can go on, and does the rest when it is gone', async () => {
    app = await startTestApp(settings(), withBreaking)
    const expanded = await ask({ action: 'expand', codeRevision: CODE_REVISION })
    expect(expanded.body).toMatchObject({ revision: CODE_REVISION + 1, minCode: 1 })
    expect(expanded.body['pending']).toEqual([expect.stringMatching(/_less$/)])
    const all = await ask({ action: 'all' })
    expect(all.body).toMatchObject({ revision: CODE_REVISION + 2, minCode: CODE_REVISION + 1, pending: [] })
  })

  it('reads unfinished missions with the code of the package, and says which it can not read', async () => {
    app = await startTestApp(settings())
    expect((await ask({ action: 'check' })).body).toMatchObject({ revision: 0, check: { checked: 0, unreadable: [] } })
    await ask({ action: 'all' })
    const ids = [randomUUID(), randomUUID()].sort()
    for (const id of ids)
      await withConnection(database.ownerUrl, (client) => client.query(MISSION.replaceAll('ID', id)))
    const { status, body } = await ask({ action: 'check' })
    expect({ status, body }).toMatchObject({
      status: 200,
      body: { revision: CODE_REVISION, held: 0, version: expect.any(String) },
    })
    const why = expect.stringContaining("Its profile can't be read")
    expect(body['check']).toEqual({ checked: 2, unreadable: ids.map((id) => ({ id, why })) })
    expect((await ask({ action: 'check', after: ids[0] })).body['check']).toMatchObject({ checked: 1 })
  })

  it('two requests at once: one applies, the other waits and answers with what is there', async () => {
    app = await startTestApp(settings())
    const answers = await Promise.all([ask({ action: 'all' }), ask({ action: 'all' })])
    expect(answers.map(({ body }) => body['revision'])).toEqual([CODE_REVISION, CODE_REVISION])
    expect(answers.flatMap(({ body }) => body['done'])).toHaveLength(CODE_REVISION)
  })

  it("drains for a time that ends by itself, and leaves somebody else's drain alone", async () => {
    app = await startTestApp(settings())
    const drain = { action: 'drain', by: 'deploy', reason: '1.2.3', seconds: 600 }
    expect(await ask(drain)).toMatchObject({ status: 200, body: { drain: null } })
    await ask({ action: 'all' })
    expect((await ask(drain)).body['drain']).toMatchObject({ by: 'deploy', reason: '1.2.3', until: expect.any(String) })
    expect(await ask({ action: 'resume', by: 'deploy' })).toMatchObject({ status: 200, body: { drain: null } })
    await withConnection(database.ownerUrl, (client) => setDrain(client, { by: 'restore', reason: 'a restore' }))
    expect((await ask(drain)).body['drain']).toMatchObject({ by: 'restore' })
    await ask({ action: 'resume', by: 'deploy' })
    expect(await withConnection(database.ownerUrl, readDrain)).toMatchObject({ by: 'restore' })
  })

  it.each([
    [{ action: 'down' }, '/action'],
    [{ action: 'expand' }, '/codeRevision'],
    [{ action: 'check', after: 'the first' }, '/after'],
    [{ action: 'drain', by: 'deploy', reason: 'x' }, '/seconds'],
    [{ action: 'all', logins: [] }, '/logins'],
    [{ action: 'expand', codeRevision: 0, logins: [{ name: 'me', principalId: randomUUID() }] }, '/logins'],
  ])('refuses %j and names what is wrong', async (body, pointer) => {
    app = await startTestApp(settings())
    expect(await ask(body)).toMatchObject({
      status: 400,
      body: { code: 'invalid_request', errors: [expect.objectContaining({ pointer })] },
    })
  })

  it('hands on which login to make: its own is refused in words, and nothing is migrated', async () => {
    const { username } = new URL(database.ownerUrl)
    const login = { APP_LOGIN_NAME: username, APP_LOGIN_PRINCIPAL_ID: randomUUID() }
    app = await startTestApp({ ...settings(), ...login })
    const { status, body } = await ask({ action: 'all' })
    expect({ status, detail: body['detail'] }).toEqual({
      status: 409,
      detail: expect.stringMatching(/^login_of_migrator: .* "taskforce", which is the login that migrates/),
    })
    expect(await ask({ action: 'status' })).toMatchObject({ status: 200, body: { revision: 0 } })
  })

  it('says what is wrong with the database, without its password', async () => {
    const url = database.ownerUrl.replace(/\/[^/]*$/, '/nowhere')
    app = await startTestApp({ APP_ROLE: 'migrator', DATABASE_URL: url })
    const { status, body } = await ask({ action: 'status' })
    expect(status).toBe(409)
    expect(body['detail']).toContain('has no database nowhere')
    expect(JSON.stringify(body)).not.toContain(new URL(url).password + '@')
  })

  it('a migration that fails leaves the schema as it was and names the file and the line', async () => {
    app = await startTestApp(settings(), async (folder) => {
      const dir = join(folder, 'migrations')
      const [first = ''] = (await readdir(dir)).filter((name) => name.endsWith('.up.sql')).sort()
      await writeFile(join(dir, first), `${await readFile(join(dir, first), 'utf8')}\nselect nonsense;\n`)
      await rm(join(dir, '0001.catalog.txt'))
    })
    const { status, body } = await ask({ action: 'all' })
    expect(status).toBe(409)
    expect(body['detail']).toMatch(/^migration_failed: 0001_missions\.up\.sql failed at line \d+/)
    expect((await ask({ action: 'status' })).body).toMatchObject({ revision: 0 })
  })

  it('is not there in the app itself', async () => {
    app = await startTestApp({ DATABASE_URL: database.ownerUrl })
    expect((await fetch(`${app.url}/migrate`, { method: 'POST', body: '{}' })).status).toBe(404)
  })
})
