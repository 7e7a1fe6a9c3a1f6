import { execFile } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { checkMissions, type Report } from '../../scripts/check-deploy/check.ts'
import { main } from '../../scripts/check-deploy/main.ts'
import { OldBuild } from '../../scripts/check-deploy/old-build.ts'
import { createTerminal, type Streams } from '../../scripts/mission/terminal.ts'
import { nextDecision, type DecisionInput } from '../../src/engine/next-decision.ts'
import { buildBundle } from '../../src/local/build/build-bundle.ts'
import { callTools, createWorld, say, script, type World } from '../support/engine.ts'

let world: World
let folder: string
beforeAll(async () => {
  world = await createWorld()
})
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'check-deploy-'))
  await world.sql(`delete from taskforce.missions`)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true, force: true })
})
afterAll(() => world.stop())

interface Run {
  code: number
  stdout: string
  stderr: string
}

async function run(words: string[], env: NodeJS.ProcessEnv = { DATABASE_URL: world.database.appUrl }): Promise<Run> {
  const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() }
  const terminal = createTerminal(streams as unknown as Streams, {})
  const code = await main(words, { env, cwd: folder, terminal })
  const said = (stream: PassThrough) => String(stream.read() ?? '')
  return { code, stdout: said(streams.stdout), stderr: said(streams.stderr) }
}

async function report(...words: string[]): Promise<Report & { code: number }> {
  const { code, stdout } = await run(['--json', ...words])
  return { code, ...(JSON.parse(stdout) as Report) }
}

/** An event that no build of today writes, past the engine. */
async function addEvent(id: string, seq: number, event: { v?: number; type: string; data?: object }): Promise<void> {
  const { v = 1, type, data = {} } = event
  await world.sql(
    `insert into taskforce.events (mission_id, seq, epoch, v, type, data, tenant_id)
     select id, $2, 0, $3, $4, $5, tenant_id from taskforce.missions where id = $1`,
    [id, seq, v, type, JSON.stringify(data)],
  )
}

/** The file of an old build whose `nextDecision(input)` is this code. */
async function oldBuild(body: string): Promise<string> {
  const file = join(folder, 'check-deploy.cjs')
  await writeFile(file, `exports.nextDecision = (input) => { ${body} }\n`)
  return file
}

describe('with this build alone', () => {
  it('all is well where every unfinished mission can be read', async () => {
    await world.create()
    expect(await run([])).toEqual({
      code: 0,
      stdout: 'Checked 1 unfinished mission with this build.\nAll can be read.\n',
      stderr: '',
    })
  })

  it('looks at missions in every state but the ended ones', async () => {
    const ended = { completed: await world.create(), failed: await world.create(), cancelled: await world.create() }
    for (const [status, id] of Object.entries(ended)) {
      await world.sql('update taskforce.missions set status = $2, wake_at = null where id = $1', [id, status])
    }
    await world.create()
    await world.engine({ model: script(callTools(['ask_user', { question: 'Which?' }])) }).run()
    await world.create()
    await world.sql(`update taskforce.missions set status = 'paused' where status = 'queued'`)
    await world.create()
    expect(await report()).toEqual({ code: 0, checked: 3, unreadable: [], changed: [] })
  })

  it('names those that it can not read, and why', async () => {
    const [sung, future, good] = [await world.create(), await world.create(), await world.create()]
    await addEvent(sung, 2, { type: 'mission.sung' })
    await addEvent(future, 2, { v: 99, type: 'mission.started', data: { instance: 'i' } })
    expect(await report()).toEqual({
      code: 1,
      checked: 3,
      unreadable: [
        { id: sung, by: 'new', why: "Event 2 (mission.sung, v1) can't be read: this build does not know the type" },
        { id: future, by: 'new', why: 'Event 2 has version 99; this build reads up to 1' },
      ],
      changed: [],
    })
    const { code, stdout } = await run([])
    expect(code).toBe(1)
    expect(stdout).toContain("2 unfinished missions can't be read by this build:")
    expect(stdout).toContain(`  ${sung}  Event 2 (mission.sung, v1)`)
    expect(stdout).not.toContain(good)
  })

  it('lists twenty for a person, and all as JSON', async () => {
    const ids = await Promise.all(Array.from({ length: 22 }, () => world.create()))
    await Promise.all(ids.map((id) => addEvent(id, 3, { type: 'mission.started', data: { instance: 'i' } })))
    const { stdout } = await run([])
    expect(stdout.match(/Event 3 follows event 1/g)).toHaveLength(20)
    expect(stdout).toContain('  and 2 more: --json lists all\n')
    expect((await report()).unreadable.map(({ id }) => id)).toEqual(ids.sort())
  })
})

describe('the missions', () => {
  it('are read page by page, each once', async () => {
    const ids = await Promise.all(Array.from({ length: 7 }, () => world.create()))
    await Promise.all(ids.map((id) => addEvent(id, 2, { type: 'mission.sung' })))
    const seen: number[] = []
    const options = { pageSize: 3, onProgress: (checked: number) => seen.push(checked) }
    const { db, statements } = world.engine()
    const { checked, unreadable } = await checkMissions(db, { current: nextDecision }, options)
    expect(checked).toBe(7)
    expect(unreadable.map(({ id }) => id)).toEqual(ids.sort())
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7])
    expect(statements.filter((text) => text.includes('order by m.id'))).toHaveLength(3)
  })

  it('of long journals are not read together', async () => {
    const ids = [await world.create(), await world.create(), await world.create()]
    const long = { content: randomBytes(1_600_000).toString('base64'), role: 'user', by: 'me' }
    for (const id of ids.slice(0, 2)) await addEvent(id, 2, { type: 'mission.message', data: long })
    const { db, statements } = world.engine()
    expect((await checkMissions(db, { current: nextDecision })).checked).toBe(3)
    expect(statements.filter((text) => text.includes('mission_id = any'))).toHaveLength(2)
  })

  it('of several tenants are all checked, each with the profile of its own', async () => {
    const id = await world.create()
    const [tenant, mission] = [randomUUID(), randomUUID()]
    await world.sql(`insert into taskforce.tenants (id, name) values ($1, 'other')`, [tenant])
    await world.sql(
      `insert into taskforce.profiles (tenant_id, hash, name, body)
       select $1, hash, name, '{"tools": "none"}' from taskforce.profiles`,
      [tenant],
    )
    await world.sql(
      `insert into taskforce.missions (id, tenant_id, status, goal, profile, profile_hash)
       select $1, $2, 'queued', goal, profile, profile_hash from taskforce.missions where id = $3`,
      [mission, tenant, id],
    )
    expect(await report()).toMatchObject({
      checked: 2,
      unreadable: [{ id: mission, why: expect.stringContaining("Its profile can't be read") }],
    })
  })

  it('that go on from others are folded with what they share', async () => {
    const parent = await world.create('Say hello')
    await world.engine({ model: () => say('Hello') }).run()
    const child = await world.create('Say it again')
    const forkedFrom = { id: parent, seq: 3 }
    await world.sql(`update taskforce.events set data = data || $2 where mission_id = $1 and seq = 1`, [
      child,
      JSON.stringify({ forkedFrom, said: 'Once more' }),
    ])
    const asked: DecisionInput[] = []
    const current = (input: DecisionInput) => (asked.push(input), nextDecision(input))
    expect(await checkMissions(world.engine().db, { current })).toMatchObject({ checked: 1, unreadable: [] })
    expect(asked[0]?.parents?.map((rows) => rows.map(({ type }) => type))).toEqual([
      ['mission.created', 'mission.started', 'model.answered'],
    ])
  })
})

describe('with an old build', () => {
  it('that is this one, both do the same', async () => {
    await buildBundle(join(folder, 'dist'))
    await world.create()
    await world.create()
    await world.engine({ model: script(callTools(['wait', { seconds: 3600 }], ['ask_user', { question: '?' }])) }).run()
    expect(await report('--from', folder)).toEqual({ code: 0, checked: 2, unreadable: [], changed: [] })
    expect((await run(['--from', 'dist'])).stdout).toContain('Both read all of them and would do the same next.')
    // It is asked in a process that may do nothing, and has no use for what the functions need to start.
    expect(await readFile(join(folder, 'dist/check-deploy.cjs'), 'utf8')).not.toMatch(/require\("(pg|@azure|node:http)/)
  })

  it('names the missions with which it would do something else', async () => {
    const id = await world.create()
    const from = await oldBuild(`return { readable: true, decision: '[{"do":"callModel"}]' }`)
    expect(await report('--from', from)).toEqual({
      code: 1,
      checked: 1,
      unreadable: [],
      changed: [{ id, old: 'callModel', new: 'append mission.started' }],
    })
    const { stdout } = await run(['--from', from])
    expect(stdout).toContain('1 unfinished mission would go on in another way:\n')
    expect(stdout).toContain(`  ${id}  old: callModel; new: append mission.started\n`)
  })

  it('names the place where the same step differs', async () => {
    const id = await world.create()
    const from = await oldBuild(
      `return { readable: true, decision: '[{"do":"append","event":{"type":"mission.started","data":{"instance":"x"}}}]' }`,
    )
    const shown = {
      id,
      old: 'append mission.started',
      new: 'append mission.started, with another 0.event.data.instance',
    }
    expect((await report('--from', from)).changed).toEqual([shown])
  })

  it('names those that only one of the two can read', async () => {
    const [older, newer] = [await world.create(), await world.create()]
    await addEvent(newer, 2, { type: 'mission.sung' })
    const from = await oldBuild(
      `return input.journal.length === 1 ? { readable: false, why: 'too short' } : { readable: true, decision: '[]' }`,
    )
    expect(await report('--from', from)).toMatchObject({
      code: 1,
      unreadable: [
        { id: older, by: 'old', why: 'too short' },
        { id: newer, by: 'new' },
      ],
      changed: [],
    })
    expect((await run(['--from', from])).stdout).toContain("1 unfinished mission can't be read by the old build:")
  })

  it('is asked the same as this one, for the same time', async () => {
    await world.create()
    const from = await oldBuild('return { readable: false, why: JSON.stringify(input) }')
    const asked: DecisionInput[] = []
    const current = (input: DecisionInput) => (asked.push(input), nextDecision(input))
    const old = new OldBuild(from)
    await old.start()
    const { unreadable } = await checkMissions(world.engine().db, { current, old: old.ask.bind(old) })
    old.stop()
    expect(JSON.parse(unreadable[0]?.why ?? '')).toEqual(JSON.parse(JSON.stringify(asked[0])))
  })

  it.each([
    ['dies', 'process.exit(7)'],
    ['answers nonsense', 'return { readable: "maybe" }'],
    ['throws', 'throw new Error("no idea")'],
  ])('that %s on a mission is asked about the next one all the same', async (_, what) => {
    const [first, second] = [await world.create(), await world.create()]
    await addEvent(first, 2, { type: 'mission.started', data: { instance: 'i' } })
    const from = await oldBuild(`if (input.journal.length === 2) { ${what} } return { readable: false, why: 'asked' }`)
    const { unreadable } = await report('--from', from)
    expect(unreadable.map(({ id, by }) => [id, by])).toEqual([
      [first, 'old'],
      [second, 'old'],
    ])
    expect(unreadable[0]?.why).toMatch(/^its process ended|^no idea/)
    expect(unreadable[1]?.why).toBe('asked')
  })

  it('that hangs is given up', async () => {
    const old = new OldBuild(await oldBuild('for (;;) {}'), 2_000)
    await old.start()
    const input = { v: 1, journal: [], profile: {}, now: 0 } as const
    expect(await old.ask({ ...input, journal: [] })).toMatchObject({ readable: false })
    old.stop()
  })

  it('knows no setting, and can neither write nor start anything', async () => {
    vi.stubEnv('DATABASE_URL', 'postgresql://u:secret@127.0.0.1:1/d')
    await world.create()
    const attempts = {
      settings: 'process.env.DATABASE_URL',
      write: `require('node:fs').writeFileSync(${JSON.stringify(join(folder, 'mine'))}, 'x')`,
      start: `require('node:child_process').execFileSync(process.execPath, ['--version'])`,
    }
    const tried = Object.entries(attempts).map(
      ([name, code]) => `try { tried.${name} = ${code} } catch (error) { tried.${name} = error.code }`,
    )
    const from = await oldBuild(
      `const tried = {}; ${tried.join(';')}; return { readable: false, why: JSON.stringify(tried) }`,
    )
    const { unreadable } = await report('--from', from)
    const denied = 'ERR_ACCESS_DENIED'
    expect(JSON.parse(unreadable[0]?.why ?? '')).toEqual({ write: denied, start: denied })
    expect(await readdir(folder)).toEqual(['check-deploy.cjs'])
  })
})

describe('the command line', () => {
  it('is a script of its own, with nothing but JSON on standard output', async () => {
    const id = await world.create()
    await addEvent(id, 2, { type: 'mission.sung' })
    const env = { ...process.env, DATABASE_URL: world.database.appUrl, NODE_OPTIONS: '' }
    const result = await new Promise<Run>((done) => {
      execFile(process.execPath, [resolve('scripts/check-deploy.ts'), '--json'], { env }, (error, stdout, stderr) =>
        done({ code: error ? Number(error.code) : 0, stdout, stderr }),
      )
    })
    expect(result).toMatchObject({ code: 1, stderr: '' })
    expect(JSON.parse(result.stdout)).toMatchObject({ checked: 1, unreadable: [{ id }] })
  })

  it.each([
    ['an unknown option', ['--fast'], /unknown option '--fast'/],
    [
      'a folder without an old build',
      ['--from', 'nowhere'],
      /^There is no check-deploy\.cjs in .*nowhere\.\n--from takes/,
    ],
  ])('%s ends with 2', async (_, words, stderr) => {
    expect(await run(words)).toEqual({ code: 2, stdout: '', stderr: expect.stringMatching(stderr) })
  })

  it('a file that is no old build ends with 2 too', async () => {
    await writeFile(join(folder, 'check-deploy.cjs'), 'exports.other = 1\n')
    const { code, stderr } = await run(['--from', '.'])
    expect([code, stderr]).toEqual([2, expect.stringContaining("can't be asked: it has no function nextDecision.")])
  })

  it('without a database, or with one that is not there, it ends with 1 and says what to do', async () => {
    expect(await run([], {})).toMatchObject({ code: 1, stderr: expect.stringContaining('Set DATABASE_URL, or start') })
    const { code, stderr } = await run([], { DATABASE_URL: 'postgresql://u:secret@localhost:1/d' })
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^The check failed: .*ECONNREFUSED/)])
    expect(stderr).not.toContain('secret')
  })
})
