import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { main as backup } from '../../scripts/backup/main.ts'
import { progressLine } from '../../scripts/backup/progress.ts'
import { createTerminal, type Streams } from '../../scripts/mission/terminal.ts'
import { main as restore } from '../../scripts/restore/main.ts'
import { main as retain } from '../../scripts/retain/main.ts'
import { DEFAULT_TENANT } from '../../src/missions/context.ts'
import { addContent } from '../support/ended-missions.ts'
import { createWorld, script, say, type World } from '../support/engine.ts'
import { createTestDatabase, withConnection, type TestDatabase } from '../support/postgres.ts'

const execute = promisify(execFile)
const NOBODY = '00000000-0000-7000-8000-00000000dead'
const SCRIPT = fileURLToPath(new URL('../../scripts/backup.ts', import.meta.url))

let world: World
let other: TestDatabase
let folder: string
beforeAll(async () => {
  world = await createWorld()
  await world.create()
  await world.engine({ model: script(say('Done')) }).run()
})
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'taskforce-commands-'))
  other = await createTestDatabase({ migrated: false })
})
afterEach(async () => {
  await other.drop()
  await rm(folder, { recursive: true, force: true })
})
afterAll(() => world.stop())

interface Run {
  code: number
  stdout: string
  stderr: string
}

/** @param typed by somebody on a terminal; undefined: there is nobody */
async function run(command: typeof backup, words: string[], env: NodeJS.ProcessEnv = {}, typed?: string): Promise<Run> {
  const opened = () => Object.assign(new PassThrough(), { isTTY: typed !== undefined, setRawMode: () => undefined })
  const streams = { stdin: opened(), stdout: opened(), stderr: opened() }
  if (typed !== undefined) streams.stdin.write(typed)
  const terminal = createTerminal(streams as unknown as Streams, {})
  const settings = { DATABASE_URL: world.database.ownerUrl, BACKUP_FOLDER: join(folder, 'backups'), ...env }
  const code = await command(words, { env: settings, cwd: folder, terminal })
  const said = (stream: PassThrough) => String(stream.read() ?? '')
  return { code, stdout: said(streams.stdout), stderr: said(streams.stderr) }
}

async function json<T>(command: typeof backup, ...words: string[]): Promise<T> {
  const { stdout, stderr, code } = await run(command, ['--json', ...words])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return JSON.parse(stdout) as T
}

interface Made {
  name: string
  rows: number
  path: string
}

describe('npm run backup', () => {
  it('makes a backup, lists it, shows it and verifies it', async () => {
    const made = await json<Made>(backup, 'now')
    expect(made).toMatchObject({
      name: expect.stringMatching(/^taskforce_backup_\d{8}_\d{6}$/),
      bytes: expect.any(Number),
      rows: expect.any(Number),
      snapshotAt: expect.stringMatching(/Z$/),
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      durationMs: expect.any(Number),
      path: join(folder, 'backups', `${made.name}.sql.zst`),
    })
    expect(await json(backup, 'list')).toMatchObject([
      { name: made.name, verified: true, rows: made.rows, held: false },
    ])
    expect(await json(backup, 'show', 'LATEST')).toMatchObject({ name: made.name, manifest: { format: 1 } })
    expect(await json(backup, 'verify', made.name)).toMatchObject({ name: made.name, ok: true, rows: made.rows })
    expect((await run(backup, ['list'])).stdout).toContain(`${made.name} `)
  })

  it('drills the newest one, and says what it looked at', async () => {
    const { name } = await json<Made>(backup, 'now')
    const report = await json<{ name: string; ok: boolean; checks: { ok: boolean }[] }>(backup, 'drill')
    expect(report).toMatchObject({ name, ok: true, durationMs: expect.any(Number) })
    expect(report.checks.length).toBeGreaterThan(4)
  })

  it('answers 1 for one that was damaged, and does not restore it', async () => {
    const { name, path } = await json<Made>(backup, 'now')
    const bytes = await readFile(path)
    bytes[100] = (bytes[100] ?? 0) ^ 4
    await rm(path)
    await writeFile(path, bytes)
    const { code, stderr } = await run(backup, ['verify', name])
    expect(code).toBe(1)
    expect(stderr).toMatch(/damaged|is not the one that was written/)
    expect(await run(restore, [name, '--into', other.ownerUrl])).toMatchObject({ code: 3 })
    // What the list shows already is refused before anything drains for it.
    await rm(path)
    await writeFile(path, bytes.subarray(0, 500))
    const cut = await run(restore, [name, '--into', other.ownerUrl])
    expect(cut).toMatchObject({ code: 3, stderr: expect.stringContaining("can't be restored: its data has 500 bytes") })
  })

  it('keeps what is held, removes nothing by hand that is new, and says why', async () => {
    const { name } = await json<Made>(backup, 'now')
    expect(await json(backup, 'hold', name)).toMatchObject({ name, held: true })
    expect(await json(backup, 'list')).toMatchObject([{ held: true }])
    expect(await json(backup, 'release', name)).toMatchObject({ name, held: false })
    expect(await json(backup, 'prune', '--dry-run')).toMatchObject({ removed: [], wouldRemove: [], held: [] })
    expect((await run(backup, ['prune'])).stdout).toContain('kept')
  })

  it('refuses to prune with 3 where no verified backup is new', async () => {
    const { code, stderr } = await run(backup, ['prune'])
    expect(code).toBe(3)
    expect(stderr).toContain('npm run backup -- now')
  })

  it('writes a file that psql restores and that restore takes, and nothing over another one', async () => {
    const { name } = await json<Made>(backup, 'now')
    const to = join(folder, 'copy.sql.zst')
    expect(await json(backup, 'download', name, '--to', to)).toMatchObject({ name, path: to })
    expect((await readdir(folder)).sort()).toEqual(['backups', 'copy.manifest.json', 'copy.sql.zst'])
    expect(await run(backup, ['download', name, '--to', to])).toMatchObject({ code: 3 })
    expect(await run(restore, [to, '--into', other.ownerUrl])).toMatchObject({ code: 0 })
    expect(await missionsIn(other.ownerUrl)).toBe(1)
  })

  it('names the command that restores it so that it can be pasted', async () => {
    const { name } = await json<Made>(backup, 'now')
    const { stdout } = await run(backup, ['download', name, '--to', 'a copy.sql.zst'])
    expect(stdout).toContain(`npm run restore -- '${join(folder, 'a copy.sql.zst')}'`)
  })

  it('leaves nothing of a download that does not go onto the disk', async () => {
    // A disk that is nearly full takes a part of what is written at first, and so does a limit of a file's size.
    await addContent(world.sql, DEFAULT_TENANT, randomBytes(200_000).toString('hex'), 0)
    const { name } = await json<Made>(backup, 'now')
    await mkdir(join(folder, 'small'))
    const words = ['--max-semi-space-size=1', SCRIPT, 'download', name, '--to', join(folder, 'small/copy.sql.zst')]
    const limited = ['-c', 'ulimit -f 16; exec "$@"', 'limited', process.execPath, ...words]
    const env = { ...process.env, BACKUP_FOLDER: join(folder, 'backups') }
    await expect(execute('bash', limited, { env, cwd: folder })).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining("can't be written (EFBIG)"),
      stdout: '',
    })
    expect(await readdir(join(folder, 'small'))).toEqual([])
  })

  it('writes over no manifest that lies beside the file, and then not the file either', async () => {
    const { name } = await json<Made>(backup, 'now')
    const to = join(folder, 'copy.sql.zst')
    await writeFile(join(folder, 'copy.manifest.json'), 'another one')
    expect(await run(backup, ['download', name, '--to', to])).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('copy.manifest.json is there already'),
    })
    expect((await readdir(folder)).sort()).toEqual(['backups', 'copy.manifest.json'])
    expect(await readFile(join(folder, 'copy.manifest.json'), 'utf8')).toBe('another one')
  })

  it.each([
    [['show', 'nothing'], 2, /There is no backup nothing/],
    [['nonsense'], 2, /unknown command/],
    [['download', 'LATEST', '--to', '-'], 2, /It takes a file/],
    [['verify'], 2, /missing required argument/],
    [['now', '--what'], 2, /unknown option/],
  ])('answers %j with %i', async (words, code, message) => {
    const result = await run(backup, words)
    expect(result.code).toBe(code)
    expect(result.stderr).toMatch(message)
  })

  it('says what to set where there is no database', async () => {
    const result = await run(backup, ['now'], { DATABASE_URL: '' })
    expect(result).toMatchObject({ code: 1, stderr: expect.stringContaining('npm start') })
  })

  it('tells a wrong setting without its value', async () => {
    const { code, stderr } = await run(backup, ['now'], { BACKUP_KEY_URL: 'hunter2' })
    expect(code).toBe(1)
    expect(stderr).toContain('BACKUP_KEY_URL')
    expect(stderr).not.toContain('hunter2')
  })

  it('is a script of its own, with nothing but JSON on standard output', async () => {
    await mkdir(join(folder, 'backups'))
    const { stdout } = await execute('npm', ['run', '--silent', 'backup', '--', 'list', '--json'], {
      env: { ...process.env, BACKUP_FOLDER: join(folder, 'backups') },
    })
    expect(JSON.parse(stdout)).toEqual([])
  })
})

describe('npm run restore', () => {
  it('shows what it will do, restores into an empty database without asking, and says how it went', async () => {
    const { name, rows } = await json<Made>(backup, 'now')
    const { code, stdout } = await run(restore, ['LATEST', '--into', other.ownerUrl])
    expect(code).toBe(0)
    expect(stdout).toContain(`Restores ${name} of `)
    expect(stdout).toContain('The target is empty.')
    expect(await missionsIn(other.ownerUrl)).toBe(1)
    const again = await json(restore, name, '--into', other.ownerUrl, '--replace', '--yes')
    expect(again).toMatchObject({
      from: name,
      rows,
      revisionBefore: 3,
      revisionAfter: 3,
      unknownEffects: 0,
      generation: 2,
    })
    const recorded = await withConnection(other.ownerUrl, (client) =>
      client.query(`select backup, ok from taskforce.upkeep where kind = 'restore'`),
    )
    // What upkeep recorded before the second one was carried over.
    expect(recorded.rows).toEqual([
      { backup: name, ok: true },
      { backup: name, ok: true },
    ])
  })

  it('refuses with 3 to touch what is there without --replace, and without --yes where nobody can be asked', async () => {
    const { name } = await json<Made>(backup, 'now')
    await run(restore, [name, '--into', other.ownerUrl])
    expect(await run(restore, [name, '--into', other.ownerUrl])).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('--replace'),
    })
    expect(await run(restore, [name, '--into', other.ownerUrl, '--replace'])).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('--yes'),
    })
    const rows = withConnection(other.ownerUrl, async (client) => {
      const sql = `select ok from taskforce.upkeep where kind = 'restore' order by ended_at`
      return (await client.query<{ ok: boolean }>(sql)).rows
    })
    expect(await rows).toEqual([{ ok: true }, { ok: false }])
  })

  it('takes the newest one before a time', async () => {
    const { name } = await json<Made>(backup, 'now')
    expect(await json(restore, '--at', '2100-01-01T00:00:00Z', '--into', other.ownerUrl)).toMatchObject({ from: name })
    expect(await run(restore, ['--at', '2020-01-01T00:00:00Z', '--into', other.ownerUrl])).toMatchObject({ code: 2 })
  })

  it.each([
    [[], /name a backup/],
    [['--at', 'yesterday'], /a time with its zone/],
    [['--at', '2026-01-01T00:00:00'], /a time with its zone/],
    [['LATEST', '--into', 'not a url'], /--into takes the address/],
    [['--reconcile', '--into', 'not a url'], /--into takes the address/],
    [['LATEST', '--reconcile'], /--reconcile restores nothing/],
    [['--reconcile', '--replace'], /--reconcile restores nothing/],
  ])('answers %j with 2', async (words, message) => {
    expect(await run(restore, words)).toMatchObject({ code: 2, stderr: expect.stringMatching(message) })
  })

  it('of a backup that lacks data says so before and after, and answers 1', async () => {
    await world.sql('create table taskforce.by_hand (a integer)')
    const line =
      'NOT ALL DATA IS IN IT: table by_hand: taskforce_backup may not read all of it; as its owner run: grant'
    try {
      const made = await run(backup, ['now'])
      expect(made.code).toBe(1)
      expect(made.stdout).toMatch(new RegExp(`^${line}`))
      expect(made.stdout).not.toContain('The data is there')
      const [{ name } = { name: '' }] = await json<{ name: string }[]>(backup, 'list')
      expect((await run(backup, ['list'])).stdout).toContain(`unverified: ${line}`)
      expect((await run(backup, ['show', name])).stdout).toContain(line)
      const restored = await run(restore, [name, '--into', other.ownerUrl])
      expect(restored).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('not all data of its database was in'),
      })
      expect(restored.stdout).toContain(`  ${line}`)
      expect(restored.stdout).toContain('NOT ALL DATA WAS IN IT: table by_hand')
      const again = await run(restore, [name, '--into', other.ownerUrl, '--replace', '--yes', '--json'])
      expect(again.code).toBe(1)
      expect(JSON.parse(again.stdout)).toMatchObject({ from: name, missing: [expect.stringContaining('by_hand')] })
    } finally {
      await world.sql('drop table taskforce.by_hand')
    }
  })

  it('reconciles a database that was set back by other means', async () => {
    await json<Made>(backup, 'now')
    await run(restore, ['LATEST', '--into', other.ownerUrl])
    expect(await json(restore, '--reconcile', '--yes', '--into', other.ownerUrl)).toMatchObject({
      from: 'point in time',
      generation: 2,
    })
  })
})

describe('npm run retain', () => {
  it('sets policies, clears them, and says what holds', async () => {
    expect(await json(retain, 'set', 'failed', '30')).toMatchObject({ policies: [{ status: 'failed', keepDays: 30 }] })
    expect(await json(retain, 'policies')).toMatchObject({ policies: [{ status: 'failed' }], missionDays: null })
    expect(await json(retain, 'set', 'failed', 'default')).toEqual({ policies: [], missionDays: null })
  })

  it('removes nothing that is kept, and says so', async () => {
    expect(await json(retain, 'now', '--dry-run')).toMatchObject({ dryRun: true, missions: [] })
    expect((await run(retain, ['now'])).stdout).toContain('kept for ever')
  })

  it('refuses to remove the default tenant, and any without being asked', async () => {
    const id = '00000000-0000-7000-8000-0000000000fe'
    await world.sql(`insert into taskforce.tenants (id, name) values ($1, 'stays')`, [id])
    expect(await run(retain, ['delete-tenant', id])).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('--yes'),
    })
    for (const words of [[], ['--yes']])
      expect(await run(retain, ['delete-tenant', DEFAULT_TENANT, ...words])).toMatchObject({
        code: 3,
        stderr: expect.stringContaining('default tenant was not removed'),
      })
  })

  it.each([
    [['set', 'failed', '30', '--tenant', 'xx'], /It is a tenant's id, such as/],
    [['set', 'failed', '30', '--tenant', NOBODY], /there is no tenant/],
    [['set', 'failed', 'default', '--tenant', NOBODY], /there is no tenant/],
    [['delete-tenant', 'xx', '--yes'], /It is a tenant's id, such as/],
    [['delete-tenant', NOBODY], /there is no tenant/],
  ])('answers %j with 2', async (words, message) => {
    expect(await run(retain, words)).toMatchObject({ code: 2, stderr: expect.stringMatching(message) })
  })

  it('refuses a setting that it would have to go without', async () => {
    const { code, stderr } = await run(retain, ['now'], { MISSION_RETENTION_DAYS: 'abc' })
    expect(code).toBe(1)
    expect(stderr).toContain('MISSION_RETENTION_DAYS')
  })

  it('asks on standard error where JSON is wanted, which has standard output for itself', async () => {
    const id = '00000000-0000-7000-8000-0000000000fd'
    await world.sql(`insert into taskforce.tenants (id, name) values ($1, 'asked for')`, [id])
    const { code, stdout, stderr } = await run(retain, ['--json', 'delete-tenant', id], {}, 'y')
    expect(code).toBe(0)
    expect(stderr).toContain('removed for good. Go on?')
    expect(JSON.parse(stdout)).toMatchObject({ name: 'asked for' })
  })

  it('removes a tenant and says until when backups have it', async () => {
    const id = '00000000-0000-7000-8000-0000000000ff'
    await world.sql(`insert into taskforce.tenants (id, name) values ($1, 'gone')`, [id])
    await json<Made>(backup, 'now')
    const report = await json(retain, 'delete-tenant', id, '--yes')
    expect(report).toMatchObject({
      name: 'gone',
      missions: 0,
      backups: { goneFromBackupsBy: expect.stringMatching(/Z$/) },
    })
    expect(await world.sql('select from taskforce.tenants where id = $1', [id])).toEqual([])
  })

  it('names the schemas of earlier restores that still have a removed tenant, with the SQL that drops them', async () => {
    const id = '00000000-0000-7000-8000-0000000000fd'
    await world.sql(`insert into taskforce.tenants (id, name) values ($1, 'kept')`, [id])
    await json<Made>(backup, 'now')
    await json(restore, 'LATEST', '--replace', '--yes')
    const { code, stdout } = await run(retain, ['delete-tenant', id, '--yes'])
    expect(code).toBe(0)
    const [, drop = ''] = /^  (drop schema "taskforce_before_\d{8}_\d{6}" cascade;)$/m.exec(stdout) ?? []
    await world.sql(drop)
    expect(drop).not.toBe('')
  })
})

it('progress tells share, rate and time left, and never more than all', () => {
  expect(progressLine('Dumps', { bytes: 50e6, all: 200e6, ms: 1000 })).toBe(
    'Dumps [██████                  ] 25 %  50.0 MB of 200.0 MB  50.0 MB/s  3.0 s left',
  )
  expect(progressLine('Dumps', { bytes: 3, all: 2, ms: 1 })).toContain('100 %')
  expect(progressLine('Dumps', { bytes: 0, all: 0, ms: 0 })).toContain('0 %')
})

function missionsIn(url: string): Promise<number> {
  return withConnection(url, async (client) => {
    const { rows } = await client.query<{ n: number }>('select count(*)::int as n from taskforce.missions')
    return rows[0]?.n ?? 0
  })
}
