import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { revisionLabel } from '../../src/db/migrate/read-migrations.ts'
import { freePort } from '../../src/local/processes/free-port.ts'
import { withConnection } from '../support/postgres.ts'
import { aDatabase, CURRENT } from './migrate-folder.ts'

interface Run {
  code: number
  stdout: string
  stderr: string
}

const SCRIPT = resolve('scripts/migrate.ts')

/** Runs the command as npm does, with these variables about the database and no others. */
function migrate(env: Record<string, string>, ...args: string[]): Promise<Run> {
  const clean = {
    ...process.env,
    DATABASE_URL: '',
    DATABASE_DIRECT_URL: '',
    DATABASE_POOLER: '',
    NODE_OPTIONS: '',
    ...env,
  }
  return new Promise((done) => {
    execFile(process.execPath, [SCRIPT, ...args], { env: clean }, (error, stdout, stderr) =>
      done({ code: error ? Number(error.code) : 0, stdout, stderr }),
    )
  })
}

test('up, current, history and check give one JSON value, and the address may have the form of the seed', async () => {
  const { ownerUrl } = await aDatabase({ migrated: false })
  const env = { DATABASE_URL: ownerUrl.replace(/^postgres\w*:/, 'postgresql+asyncpg:') }
  const none = await migrate(env, 'current', '--json')
  expect(JSON.parse(none.stdout)).toEqual({ revision: 0, minCode: 0, applied: [], pending: CURRENT.applied })
  const up = await migrate(env, 'up', '--json')
  expect(up).toMatchObject({ code: 0, stderr: CURRENT.applied.map((label) => `Applied ${label}.\n`).join('') })
  expect(JSON.parse(up.stdout)).toEqual({ ...CURRENT, done: CURRENT.applied })
  const { history } = JSON.parse((await migrate(env, 'history', '--json')).stdout) as { history: unknown[] }
  expect(history).toHaveLength(CURRENT.applied.length)
  const check = await migrate(env, 'check', '--json')
  expect(check).toMatchObject({ code: 0, stderr: '' })
  expect(JSON.parse(check.stdout)).toEqual({ ...CURRENT, drift: [] })
})

test('DATABASE_DIRECT_URL wins over DATABASE_URL, which wins over the local environment', async () => {
  const { ownerUrl } = await aDatabase()
  const data = await mkdtemp(join(tmpdir(), 'taskforce-data-'))
  onTestFinished(() => rm(data, { recursive: true, force: true }))
  const nowhere = `postgresql://u:secret@127.0.0.1:${await freePort()}/d`
  const direct = await migrate({ DATABASE_DIRECT_URL: ownerUrl, DATABASE_URL: nowhere }, 'current')
  expect(direct.stdout).toContain(`at revision ${revisionLabel(CURRENT.revision)}`)
  await writeFile(join(data, 'run.json'), JSON.stringify({ event: 'ready', databaseUrl: ownerUrl }))
  expect((await migrate({}, 'current', '--data', data)).stdout).toContain(
    `at revision ${revisionLabel(CURRENT.revision)}`,
  )
  const failed = await migrate({ DATABASE_URL: nowhere }, 'current', '--data', data)
  expect(failed).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringContaining('Nothing listens at 127.0.0.1:'),
  })
  expect(failed.stderr).not.toContain('secret')
})

test('a database that is not named, behind a pooler, or with another password is told what to do', async () => {
  const { ownerUrl } = await aDatabase()
  expect((await migrate({}, 'up', '--data', '/nowhere')).stderr).toMatch(/set DATABASE_URL, or start .*npm start/)
  const pooled = await migrate({ DATABASE_URL: ownerUrl, DATABASE_POOLER: 'transaction' }, 'up')
  expect(pooled).toMatchObject({ code: 1, stderr: expect.stringContaining('set DATABASE_DIRECT_URL') })
  const wrong = new URL(ownerUrl)
  wrong.password = 'guess'
  const refused = await migrate({ DATABASE_URL: wrong.href }, 'up')
  expect(refused.stderr).toContain('does not take the password of user taskforce')
  expect((await migrate({ DATABASE_URL: 'mysql://x' }, 'up')).stderr).toContain('postgresql://USER:PASSWORD@HOST')
})

test('drift ends with 1, wrong usage with 2, and a down that would lose missions with 3', async () => {
  const { ownerUrl } = await aDatabase()
  const env = { DATABASE_URL: ownerUrl }
  expect((await migrate(env, 'up', 'soon')).code).toBe(2)
  expect((await migrate(env, 'up', '9999')).code).toBe(2)
  expect((await migrate(env)).code).toBe(2)
  expect((await migrate(env, '--help')).code).toBe(0)
  await withConnection(ownerUrl, (client) =>
    client.query(`
      alter table taskforce.missions add column mood text;
      insert into taskforce.profiles (tenant_id, hash, name, body) select id, 'h', 'dev', '{}' from taskforce.tenants;
      insert into taskforce.missions (id, tenant_id, status, goal, profile, profile_hash)
      select gen_random_uuid(), id, 'queued', 'Say hello', 'dev', 'h' from taskforce.tenants`),
  )
  expect(await migrate(env, 'check')).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/^\+ column missions\.mood text\n/),
  })
  expect(await migrate(env, 'down', '0')).toMatchObject({ code: 3, stderr: expect.stringContaining('--yes') })
  const tookBack = CURRENT.applied.toReversed().map((label) => `Took back ${label}.\n`)
  expect(await migrate(env, 'down', '0', '--yes')).toMatchObject({ code: 0, stderr: tookBack.join('') })
})
