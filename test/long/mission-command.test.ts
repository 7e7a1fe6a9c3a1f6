import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import picocolors from 'picocolors'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { renderList } from '../../scripts/mission/render-mission.ts'
import { missionSchema } from '../../scripts/mission/schemas.ts'
import { displayWidth } from '../../scripts/mission/text.ts'
import { problem, startFakeApi, type FakeApi } from '../support/fake-api.ts'

const entry = join(import.meta.dirname, '../../scripts/mission.ts')
const unknownId = '0198f6a0-1234-7abc-8def-0123456789ab'
const usage = { inputTokens: 600, outputTokens: 40, costUsd: '0.0006' }
const created = { type: 'mission.created', data: { profile: { name: 'dev', hash: 'x' }, files: [] } }
const called = {
  type: 'model.answered',
  data: {
    model: 'demo',
    toolCalls: [{ id: 'c1', name: 'total_csv', arguments: '{"file":"a.csv"}' }],
    usage,
    durationMs: 300,
  },
}
const finished = {
  type: 'tool.finished',
  data: { callId: 'c1', name: 'total_csv', effect: 'read', output: '', durationMs: 9 },
}
const said = {
  type: 'model.answered',
  data: { model: 'demo', text: 'Ann owes most.', toolCalls: [], usage, durationMs: 200 },
}
const completed = { type: 'mission.completed', data: { result: { text: 'Ann owes most: 12.50.\nBob owes 3.' } } }
const story = [created, called, finished, said, completed]
const asked = {
  type: 'question.asked',
  data: {
    questionId: 'q3',
    callId: 'c1',
    kind: 'question',
    text: "What's the colour?",
    schema: { enum: ["sky's", 'red'] },
  },
}

// Each test starts Node, which takes seconds on a busy machine.
vi.setConfig({ testTimeout: 30_000 })

let api: FakeApi
let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mission-'))
})
afterEach(async () => {
  await api?.stop()
  await rm(folder, { recursive: true })
})

async function serve(options: Partial<Parameters<typeof startFakeApi>[0]> = {}): Promise<void> {
  api = await startFakeApi({ script: story, ...options })
}

interface Run {
  code: number | null
  stdout: string
  stderr: string
}

function start(...words: string[]): { child: ChildProcess; ended: Promise<Run> } {
  return startIn({ cwd: folder }, ...words)
}

function startIn(
  at: { cwd: string; INIT_CWD?: string; CI?: string },
  ...words: string[]
): { child: ChildProcess; ended: Promise<Run> } {
  const { cwd, ...settings } = at
  const env = { PATH: process.env.PATH, TZ: 'UTC', ...settings }
  const child = spawn(process.execPath, [entry, ...words], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const exited = once(child, 'close') as Promise<[number | null]>
  const ended = Promise.all([exited, text(child.stdout), text(child.stderr)])
  return { child, ended: ended.then(([[code], stdout, stderr]) => ({ code, stdout, stderr })) }
}

function run(...words: string[]): Promise<Run> {
  return start('--url', api.url, ...words).ended
}

function lines(stdout: string): Record<string, unknown>[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

describe('a new mission', () => {
  test('is followed step by step to its result, without colours in a pipe', async () => {
    await serve()
    const { code, stdout, stderr } = await run('Total', 'these', 'invoices')
    const id = stdout.slice(8, 44)
    expect({ code, stderr, body: api.requests[0]?.body }).toEqual({
      code: 0,
      stderr: '',
      body: { goal: 'Total these invoices' },
    })
    expect(stdout).toBe(`mission ${id}
● created   profile dev
◆ model     demo                               300 ms · 600 in, 40 out · $0.0006
            → total_csv
✔ tool      total_csv {"file":"a.csv"}                                      9 ms
◆ model     demo                               200 ms · 600 in, 40 out · $0.0006
            Ann owes most.
■ completed

Ann owes most: 12.50.
Bob owes 3.

4 steps · 1,204 in, 85 out tokens · $0.0012 · 4.0 s
`)
  })

  test('may have a goal behind --file that is too long for a path', async () => {
    await serve()
    await writeFile(join(folder, 'a.csv'), 'a')
    const goal = 'Total these invoices by customer. '.repeat(10).trim()
    const { code, stderr } = await run('--file', join(folder, 'a.csv'), goal)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(api.requests[0]?.body).toMatchObject({ goal, files: [{ name: 'a.csv' }] })
  })

  test('is told without colours in a pipe of CI, too', async () => {
    await serve()
    const { stdout, stderr } = await startIn({ cwd: folder, CI: 'true' }, '--url', api.url, 'Do it', '--detach').ended
    expect(stdout + stderr).toContain('Follow it with')
    expect(stdout + stderr).not.toContain('\u001b')
  })

  test('that fails says why and what to do, and exits with 1', async () => {
    const failed = {
      type: 'mission.failed',
      data: { code: 'limit_steps', message: 'Too many steps.', hint: 'Give it more.' },
    }
    await serve({ script: [created, failed] })
    const { code, stdout } = await run('Do it')
    expect(code).toBe(1)
    expect(stdout).toContain('\nlimit_steps: Too many steps.\nGive it more.\n')
  })

  test('that is cancelled elsewhere exits with 4', async () => {
    await serve({ script: [created, { type: 'mission.cancelled', data: { by: 'ann' } }] })
    expect(await run('Do it')).toMatchObject({
      code: 4,
      stdout: expect.stringContaining('■ cancelled by ann') as string,
    })
  })

  test('that asks without a terminal prints commands that can be pasted, and exits with 5', async () => {
    await serve({ script: [created, asked, completed] })
    const { code, stdout } = await run('Do it')
    const id = stdout.slice(8, 44)
    expect(code).toBe(5)
    expect(stdout).toContain("The mission asks: What's the colour?\n")
    expect(stdout).toContain(`npm run mission -- answer ${id} q3 '"sky'\\''s"' --url ${api.url}`)
  })

  test('goes on after Ctrl-C, which exits with 130 and prints how to follow', async () => {
    await serve({ script: [created] })
    const { child, ended } = start('--url', api.url, 'Do it')
    const [first] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer]
    const id = first.toString().slice(8, 44)
    await api.watched(id)
    child.kill('SIGINT')
    const { code, stderr } = await ended
    expect(code).toBe(130)
    expect(stderr).toBe(`The mission goes on. Follow it with: npm run mission -- follow ${id} --url ${api.url}\n`)
    expect(api.requests.some(({ path }) => path.endsWith('/cancel'))).toBe(false)
  })

  test('gives every event as it came and then the mission as JSON lines, and nothing else', async () => {
    await serve()
    const { code, stdout } = await run('--json', 'Do it')
    const given = lines(stdout)
    const { mission } = given.at(-1) as { mission: { id: string } }
    expect(code).toBe(0)
    expect(given).toEqual([...api.journal(mission.id), { event: 'end', mission: api.mission(mission.id) }])
  })

  test('that asks gives JSON lines alone on standard output, and the question on standard error', async () => {
    await serve({ script: [created, asked, completed] })
    const { code, stdout, stderr } = await run('--json', 'Do it')
    expect(code).toBe(5)
    expect(lines(stdout).map(({ type, event }) => type ?? event)).toEqual(['mission.created', 'question.asked', 'end'])
    expect(stderr).toContain('The mission asks:')
  })

  test('is followed without loss or repetition over streams that close, break inside an event, or are refused', async () => {
    // Once the stream after event 2, and once the mission that is read at the end.
    const refused = new Set<string>()
    await serve({
      breaks: [
        { after: 1, how: 'close' },
        { after: 1, how: 'cut' },
        { after: 0, how: 'cut' },
        { after: 2, how: 'close' },
      ],
      refuse({ method, path, headers }) {
        const isFirst =
          method === 'GET' && !refused.has(path) && (!path.endsWith('/events') || headers['last-event-id'] === '2')
        if (isFirst) refused.add(path)
        return isFirst ? { status: 503, body: problem(503, 'not_ready', 'Soon.') } : undefined
      },
    })
    const { code, stdout, stderr } = await run('--json', 'Do it')
    const resumedAt = api.requests
      .filter(({ path }) => path.endsWith('/events'))
      .map(({ headers }) => headers['last-event-id'])
    expect(code).toBe(0)
    expect(lines(stdout).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, undefined])
    expect(resumedAt).toEqual([undefined, '1', '2', '2', '2', '4'])
    expect(refused.size).toBe(2)
    expect(stderr).toMatch(/was lost. Trying again; the mission goes on.\n.*Connected again.\n$/s)
  })

  test('sends its files under their base names, as text where they are text', async () => {
    await serve()
    await mkdir(join(folder, 'sub'))
    await writeFile(join(folder, 'sub/a.csv'), 'customer,amount\nÄnn,1')
    await writeFile(join(folder, 'b.bin'), Buffer.from([0xff, 0x00, 0x01]))
    const options = ['--profile', 'dev', '--label', 'team=a=b', '--limit', 'steps=5', '--limit', 'costUsd=0.50']
    await run('Do it', '--file', 'sub/a.csv', '--file', 'b.bin', ...options)
    expect(api.requests[0]?.body).toEqual({
      goal: 'Do it',
      profile: 'dev',
      labels: { team: 'a=b' },
      limits: { steps: 5, costUsd: '0.50' },
      files: [
        { name: 'a.csv', content: 'customer,amount\nÄnn,1', encoding: 'utf8' },
        { name: 'b.bin', content: '/wAB', encoding: 'base64' },
      ],
    })
  })

  test('finds its files where npm was called, whichever folder npm runs it in', async () => {
    await serve()
    await writeFile(join(folder, 'a.csv'), 'x')
    await startIn({ cwd: tmpdir(), INIT_CWD: folder }, '--url', api.url, 'Do it', '--file', 'a.csv').ended
    expect(api.requests[0]?.body).toMatchObject({ files: [{ name: 'a.csv', content: 'x' }] })
  })

  test('whose request breaks off before the answer is asked for again under the same key, and is one mission', async () => {
    let drops = 2
    await serve({ drop: ({ method }) => method === 'POST' && drops-- > 0 })
    const { code, stdout, stderr } = await run('Do it')
    const posts = api.requests.filter(({ method }) => method === 'POST')
    const keys = posts.map(({ headers }) => headers['idempotency-key'])
    expect({ code, posts: posts.length, keys: new Set(keys).size }).toEqual({ code: 0, posts: 3, keys: 1 })
    expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/)
    expect(stderr).toMatch(/^The connection to .* failed: .*\. Trying again for a minute; it will be one mission\.\n$/)
    const listed = JSON.parse((await run('list', '--json')).stdout) as { items: { id: string }[] }
    expect(listed.items.map(({ id }) => id)).toEqual([stdout.slice(8, 44)])
  })

  test('for which nothing listens is refused at once', async () => {
    await serve()
    await api.stop()
    expect(await run('Do it')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^Nothing answers at/) as string,
    })
  })

  test('that fails shows what it has so far, with its files and its sources', async () => {
    const result = {
      text: 'Half of it [d1].',
      files: [{ name: 'half.md', bytes: 12, sha256: 'x' }],
      citations: [
        { id: 'd1', title: 'Report', url: 'https://example.com/r' },
        { id: 'https://example.com/s', url: 'https://example.com/s' },
      ],
    }
    const data = { code: 'limit_steps', message: 'The limit of 5 steps is reached.', hint: 'Raise it.', result }
    await serve({ script: [created, { type: 'mission.failed', data }] })
    const { code, stdout } = await run('Do it')
    expect(code).toBe(1)
    expect(stdout).toContain(`
limit_steps: The limit of 5 steps is reached.
Raise it.

So far:
Half of it [d1].

Sources
  [d1] Report, https://example.com/r
  [https://example.com/s]
file half.md (12 B)
`)
  })

  test('with --detach is only submitted', async () => {
    await serve()
    const { code, stdout, stderr } = await run('Do it', '--detach')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^mission \S{36} is completed\n$/)
    expect(stderr).toContain('Follow it with: npm run mission -- follow ')
    expect(api.requests).toHaveLength(1)
  })

  test('with --detach and no environment running is refused before anything is started', async () => {
    await serve()
    const { code, stderr } = await start('Do it', '--detach').ended
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining('npm start') as string })
  })

  test('that the API refuses shows title, detail and each member that was wrong', async () => {
    const errors = [{ pointer: '/profile', detail: 'There is no profile "x\u001b[31m".' }]
    await serve({
      refuse: () => ({ status: 400, body: problem(400, 'unknown_profile', 'One thing is wrong.', errors) }),
    })
    const { code, stderr } = await run('Do it')
    expect(code).toBe(1)
    expect(stderr).toBe('Refused: unknown_profile\nOne thing is wrong.\n  /profile: There is no profile "x".\n')
  })
})

describe('wrong usage exits with 2 and one sentence on standard error, before any request:', () => {
  test.each<[string, string[], RegExp]>([
    ['no goal', [], /missing required argument 'goal'/],
    ['an unknown option', ['Do it', '--fiel', 'x'], /unknown option '--fiel'/],
    [
      'a file that is not there',
      ['Do it', '--file', 'nope.csv'],
      /^nope.csv can't be read: there is no such file\.\n$/,
    ],
    ['a folder for a file', ['Do it', '--file', '.'], /it is a folder/],
    ['a file over 8 MiB', ['Do it', '--file', 'big'], /^big has 8\.4 MB; a mission takes files up to 8 MiB\.\n$/],
    [
      '21 files',
      ['Do it', ...Array.from({ length: 21 }, (_, index) => ['--file', `x${index}`]).flat()],
      /up to 20 files; these are 21/,
    ],
    ['a glob that finds nothing', ['Do it', '--file', '*.csv'], /^No file matches \*\.csv\./],
    ['standard input that is empty and was asked for', ['Do it', '--file', '-'], /standard input, and that is empty/],
    ['files too big together', ['Do it', '--file', 'half', '--file', 'half2'], /more than 12 MiB/],
    ['a label without a value', ['Do it', '--label', 'x'], /name=value/],
    ['an unknown limit', ['Do it', '--limit', 'hours=1'], /steps=N, tokens=N/],
    ['a limit that is no number', ['Do it', '--limit', 'steps=many'], /steps=N, tokens=N/],
    ['a goal without quotes that begins with a command', ['show', 'me'], /put it in quotes/],
    ['a status that no mission has', ['list', '--status', 'weird'], /Allowed choices are queued, running/],
    ['more words than the command takes', ['list', 'the', 'files'], /too many arguments.*A goal goes in quotes/s],
    ['the word submit before an unquoted goal', ['submit', 'my', 'report'], /"submit my report"/],
    ['an answer that is not JSON', ['answer', unknownId, 'q1', 'blue'], /own quotes: '"blue"'/],
    ['an event that is no number', ['fork', unknownId, '--seq', '0'], /number of an event/],
    ['an address that is none', ['Do it', '--url', 'ftp://x'], /--url ftp:\/\/x is no address/],
  ])('%s', async (_, words, message) => {
    await serve()
    await writeFile(join(folder, 'big'), Buffer.alloc(8 * 1024 * 1024 + 1))
    for (const name of ['half', 'half2']) await writeFile(join(folder, name), Buffer.alloc(7 * 1024 * 1024, 'x'))
    const { code, stdout, stderr } = await run(...words)
    expect({ code, stdout, requests: api.requests.length }).toEqual({ code: 2, stdout: '', requests: 0 })
    expect(stderr).toMatch(message)
  })
})

describe('where the API is:', () => {
  test('run.json of the data folder, as long as its process lives', async () => {
    await serve()
    await mkdir(join(folder, 'data'))
    await writeFile(join(folder, 'data/run.json'), JSON.stringify({ event: 'ready', url: api.url, pid: process.pid }))
    expect(await start('--data', 'data', 'Do it').ended).toMatchObject({ code: 0 })
  })

  test('the key goes along as a bearer token', async () => {
    await serve()
    await run('--key', 'secret', 'list')
    expect(api.requests[0]?.headers.authorization).toBe('Bearer secret')
  })

  test('where nothing listens, one sentence says how to start', async () => {
    await serve()
    await api.stop()
    const { code, stderr } = await run('list')
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `Nothing answers at ${api.url}. Start it with npm start, or name another place with --url.\n`,
    })
  })

  test('what answers there and is not the API is said to be so', async () => {
    await serve({ refuse: () => ({ status: 200, body: { hello: 'world' } }) })
    expect(await run('list')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("does not speak Taskforce's API") as string,
    })
  })
})

describe('an existing mission', () => {
  test('is shown as a timeline of all pages of its journal, with its result', async () => {
    await serve()
    const id = api.add('Total them')
    const { code, stdout } = await run('show', id)
    expect(code).toBe(0)
    expect(stdout).toContain(`mission    ${id}\nstatus     completed\nprofile    dev\ngoal       Total them\n\n`)
    expect(stdout).toContain('+0 ms        ● created   profile dev\n')
    expect(stdout).toContain('+2.0 s       ✔ tool      total_csv {"file":"a.csv"}                         9 ms\n')
    expect(stdout).toContain('\n\nAnn owes most: 12.50.\n')
  })

  test('that waits for a person is shown with the command that answers it', async () => {
    await serve({ script: [created, asked] })
    const id = api.add('Ask me')
    expect((await run('show', id)).stdout).toMatch(
      new RegExp(`The mission asks: What's the colour\\?\\nAnswer with: npm run mission -- answer ${id} q3 .*sky`),
    )
  })

  test('with a journal of more than one page is shown whole as JSON', async () => {
    const many = Array.from({ length: 1100 }, () => finished)
    await serve({ script: [created, ...many, completed] })
    const id = api.add()
    const shown = JSON.parse((await run('show', id, '--json')).stdout) as { events: unknown[] }
    expect(shown).toEqual({ ...api.mission(id), events: api.journal(id) })
    expect(shown.events).toHaveLength(1102)
  })

  test('is followed from its first event, over questions that were answered long ago', async () => {
    await serve({ script: [created, asked, completed] })
    const id = api.add()
    api.append(id, { type: 'question.answered', data: { questionId: 'q3', answer: 'red', by: 'ann' } })
    api.append(id, completed)
    const { code, stdout } = await run('follow', id)
    expect(code).toBe(0)
    expect(stdout).toContain('✔ answer    red by ann\n■ completed\n')
  })

  test('is cancelled', async () => {
    await serve({ script: [created] })
    const id = api.add()
    expect(await run('cancel', id)).toMatchObject({ code: 0, stdout: `mission ${id} is cancelled\n` })
    expect(api.journal(id).at(-1)?.type).toBe('mission.cancelled')
  })

  test('takes an answer once; the second is refused with the reason', async () => {
    await serve({ script: [created, asked, completed] })
    const id = api.add()
    expect(await run('answer', id, 'q3', '"red"')).toMatchObject({
      code: 0,
      stdout: `answered; mission ${id} is completed\n`,
    })
    expect(api.journal(id)[2]?.data).toEqual({ questionId: 'q3', answer: 'red', by: 'person' })
    expect(await run('answer', id, 'q3', '"blue"', '--json')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'Refused: already_answered\nQuestion q3 was answered before.\n',
    })
  })

  test('is paused and resumed', async () => {
    await serve({ script: [created] })
    const id = api.add()
    const { code, stdout, stderr } = await run('pause', id)
    expect({ code, stdout }).toEqual({ code: 0, stdout: `mission ${id} is paused\n` })
    expect(stderr).toContain(`npm run mission -- resume ${id} --url ${api.url}\n`)
    expect(await run('resume', id)).toMatchObject({ code: 0, stdout: `mission ${id} is running\n` })
    expect(JSON.parse((await run('pause', id, '--json')).stdout)).toEqual(api.mission(id))
  })

  test('is told something', async () => {
    await serve({ script: [created] })
    const id = api.add()
    expect(await run('message', id, 'in French, please')).toMatchObject({
      code: 0,
      stdout: `mission ${id} was told; it is running\n`,
    })
    expect(api.requests[0]).toMatchObject({
      path: `/api/v1/missions/${id}/messages`,
      body: { content: 'in French, please' },
    })
    expect((await run('show', id)).stdout).toContain('● message   in French, please by person')
  })

  test.each<[words: string[], body: object]>([
    [['retry', 'ID', '--limit', 'steps=9'], { limits: { steps: 9 } }],
    [['continue', 'ID', 'And then?'], { content: 'And then?' }],
    [['fork', 'ID', '--seq', '3', 'In French'], { seq: 3, content: 'In French' }],
    [['fork', 'ID'], {}],
  ])('makes a new one with %j, which is followed', async (words, body) => {
    let drops = 1
    await serve({ drop: ({ method }) => method === 'POST' && drops-- > 0 })
    const id = api.add()
    const { code, stdout, stderr } = await run(...words.map((word) => (word === 'ID' ? id : word)))
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^mission \S{36}\n● created/) as string })
    expect(stdout.slice(8, 44)).not.toBe(id)
    expect(stderr).toContain('it will be one mission')
    const [first, second] = api.requests
    expect(first).toMatchObject({ path: `/api/v1/missions/${id}/${words[0]}`, body })
    expect(second?.headers['idempotency-key']).toBe(first?.headers['idempotency-key'])
  })

  test('makes a new one with --detach, which is only submitted', async () => {
    await serve()
    const id = api.add()
    const { code, stdout } = await run('retry', id, '--detach')
    expect({ code, requests: api.requests.length }).toEqual({ code: 0, requests: 1 })
    expect(stdout).toMatch(/^mission \S{36} is completed\n$/)
  })

  test.each(['cancel', 'pause', 'retry', 'show', 'follow', 'files'])(
    'that is not there makes %s exit with 1',
    async (command) => {
      await serve()
      expect(await run(command, unknownId)).toMatchObject({ code: 1, stdout: '' })
    },
  )

  test('stands in the list, one line each within 80 columns', async () => {
    await serve()
    const id = api.add('A goal\nof many words '.repeat(9))
    const { stdout, stderr } = await run('list', '--limit', '5', '--status', 'completed')
    const [head, row] = stdout.split('\n')
    expect(head).toMatch(/^id +status +age +goal$/)
    expect(row).toMatch(new RegExp(`^${id}  completed  \\S+ +A goal of.*…$`))
    expect(row?.length).toBeLessThanOrEqual(80)
    expect(api.requests[0]?.path).toBe('/api/v1/missions?limit=5&status=completed')
    expect(stderr).toContain('list --limit 5 --status completed --cursor next-page')
  })

  test.each([
    [120, /^\S{36}  completed +dev +A goal/],
    [40, /^\S{36}$/],
  ])('stands in a list that is %i columns wide', (columns, row) => {
    const mission = { id: unknownId, status: 'completed', goal: 'A goal 目標 '.repeat(20), profile: 'dev' }
    const table = renderList([missionSchema.parse(mission)], 0, columns, picocolors.createColors(false))
    expect(table.find((line) => line.startsWith(unknownId))).toMatch(row)
    expect(Math.max(...table.map(displayWidth))).toBeLessThanOrEqual(columns)
  })

  test('stands in the list as the API gives it with --json', async () => {
    await serve()
    const id = api.add()
    const { stdout } = await run('list', '--json')
    expect(JSON.parse(stdout)).toEqual({ items: [api.mission(id)], nextCursor: 'next-page' })
  })
})

describe('the files of a mission', () => {
  const files = { 'report ü.md': Buffer.from('# Report'), 'deep/raw.bin': Buffer.from([0xff, 0]) }

  test('are listed', async () => {
    await serve({ files })
    const id = api.add()
    expect((await run('files', id)).stdout).toBe('report ü.md   8 B\ndeep/raw.bin  2 B\n')
    expect(JSON.parse((await run('files', id, '--json')).stdout)).toMatchObject({ items: [{ bytes: 8 }, { bytes: 2 }] })
  })

  test('are written to a folder byte for byte', async () => {
    await serve({ files })
    expect(await run('files', api.add(), '--to', 'out')).toMatchObject({ code: 0 })
    expect(await readFile(join(folder, 'out/report ü.md'))).toEqual(files['report ü.md'])
    expect(await readFile(join(folder, 'out/deep/raw.bin'))).toEqual(files['deep/raw.bin'])
  })

  test('are not written over others unless that is asked for', async () => {
    await serve({ files })
    const id = api.add()
    await mkdir(join(folder, 'out/deep'), { recursive: true })
    await writeFile(join(folder, 'out/deep/raw.bin'), 'mine')
    expect(await run('files', id, '--to', 'out')).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('--replace') as string,
    })
    expect(await readdir(join(folder, 'out'))).toEqual(['deep'])
    expect(await run('files', id, '--to', 'out', '--replace')).toMatchObject({ code: 0 })
    expect(await readFile(join(folder, 'out/deep/raw.bin'))).toEqual(files['deep/raw.bin'])
  })

  test.each(['../evil', '/tmp/evil', '..'])('called %s are not written outside the folder', async (name) => {
    await serve({ files: { [name]: Buffer.from('x') } })
    expect(await run('files', api.add(), '--to', 'out')).toMatchObject({
      code: 1,
      stderr: `The file ${name} would land outside out. Nothing was written.\n`,
    })
  })
})
