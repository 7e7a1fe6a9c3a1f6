import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Context, StartEnvironment } from '../../scripts/mission/context.ts'
import { main } from '../../scripts/mission/main.ts'
import { createTerminal } from '../../scripts/mission/terminal.ts'
import { problem, startFakeApi, type FakeApi } from '../support/fake-api.ts'

const ENTER = '\r'
const DOWN = '\u001b[B'
const LEFT = '\u001b[D'
const CTRL_C = '\u0003'
const created = { type: 'mission.created', data: { profile: { name: 'dev', hash: 'x' }, files: [] } }
const completed = { type: 'mission.completed', data: { result: { text: 'Done.' } } }

// Generous, because the machine may be busy; nothing waits for time to pass.
vi.setConfig({ testTimeout: 30_000 })

let api: FakeApi
let dataDir: string

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'mission-'))
})
afterEach(async () => {
  await api.stop()
  await rm(dataDir, { recursive: true })
})

/** The command as in a shell, with a terminal that the test types into. */
function open(terminal: 'tty' | 'pipe', startEnvironment?: StartEnvironment) {
  const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() }
  let screen = ''
  for (const output of [streams.stdout, streams.stderr]) {
    output.on('data', (piece: Buffer) => (screen += stripVTControlCharacters(piece.toString())))
  }
  const isTTY = terminal === 'tty'
  const isRaw = { isTTY, isRaw: false, setRawMode: () => streams.stdin }
  Object.assign(streams.stdin, isRaw)
  Object.assign(streams.stdout, { isTTY, columns: 80, rows: 40 })
  const context: Context = {
    env: { NO_COLOR: '1' },
    terminal: createTerminal(streams as unknown as Parameters<typeof createTerminal>[0], { NO_COLOR: '1' }),
    interrupt: new AbortController(),
    startEnvironment: startEnvironment ?? (() => Promise.reject(new Error('no environment in this test'))),
  }
  return {
    context,
    screen: () => screen,
    run: (...words: string[]) => main(['--data', dataDir, ...words], context),
    /** Waits until the words stand on the screen after what was seen before, then types. */
    async type(after: string, ...keys: string[]) {
      await expect.poll(() => screen, { timeout: 10_000, interval: 5 }).toContain(after)
      screen = ''
      for (const key of keys) {
        streams.stdin.write(key)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    },
  }
}

function question(schema: Record<string, unknown>, kind = 'question', questionId = 'q2') {
  return { type: 'question.asked', data: { questionId, callId: 'c1', kind, text: 'What is it?', schema } }
}

function answers(): unknown[] {
  const posted = api.requests.filter(({ path }) => path.endsWith('/answers'))
  return posted.map(({ body }) => (body as { answer: unknown }).answer)
}

describe('a question in the terminal', () => {
  test.each<[string, Record<string, unknown>, string[], unknown]>([
    ['a text', { type: 'string' }, ['blue', ENTER], 'blue'],
    ['no schema, as a text', {}, ['7', ENTER], '7'],
    ['a number', { type: 'number' }, ['1.5', ENTER], 1.5],
    ['an integer, once the fraction is mended', { type: 'integer' }, ['1.5', ENTER, '\b', '\b', ENTER], 1],
    ['a boolean', { type: 'boolean' }, [LEFT, ENTER], false],
    ['an enum', { enum: ['red', 'blue'] }, [DOWN, ENTER], 'blue'],
    [
      'constants with titles',
      {
        oneOf: [
          { const: 1, title: 'One' },
          { const: 2, title: 'Two' },
        ],
      },
      [DOWN, ENTER],
      2,
    ],
    ['a list, as JSON', { type: 'array', items: {} }, ['["a"]', ENTER], ['a']],
    ['a default, taken as it stands', { type: 'string', default: 'green' }, [ENTER], 'green'],
  ])('is asked for %s', async (_, schema, keys, answer) => {
    api = await startFakeApi({ script: [created, question(schema), completed] })
    const shell = open('tty')
    const code = shell.run('--url', api.url, 'Do it')
    await shell.type('◆  What is it?', ...keys)
    expect(await code).toBe(0)
    expect(answers()).toEqual([answer])
    expect(shell.screen()).not.toContain('elsewhere')
  })

  test('is asked property by property for an object, and leaves out what was left empty', async () => {
    const properties = { name: { type: 'string' }, age: { type: 'integer' }, note: { type: 'string', title: 'A note' } }
    api = await startFakeApi({
      script: [created, question({ type: 'object', properties, required: ['name', 'age'] }), completed],
    })
    const shell = open('tty')
    const code = shell.run('--url', api.url, 'Do it')
    await shell.type('◆  name', 'Ann', ENTER)
    await shell.type('◆  age', '40', ENTER)
    await shell.type('◆  A note (may be empty)', ENTER)
    expect(await code).toBe(0)
    expect(answers()).toEqual([{ name: 'Ann', age: 40 }])
  })

  test('is an approval with a reason, and refuses unless the person chooses otherwise', async () => {
    api = await startFakeApi({ script: [created, question({}, 'approval'), completed] })
    const shell = open('tty')
    const code = shell.run('--url', api.url, 'Do it')
    await shell.type('Approve', ENTER)
    await shell.type('◆  Reason', 'too dear', ENTER)
    expect(await code).toBe(0)
    expect(answers()).toEqual([{ approved: false, reason: 'too dear' }])
  })

  test('is asked again with the reason when the API does not take the answer', async () => {
    let refusals = 1
    const errors = [{ pointer: '/answer', detail: 'It must be a colour.' }]
    api = await startFakeApi({
      script: [created, question({ type: 'string' }), completed],
      refuse: ({ path }) =>
        path.endsWith('/answers') && refusals-- > 0
          ? { status: 400, body: problem(400, 'invalid_request', 'No.', errors) }
          : undefined,
    })
    const shell = open('tty')
    const code = shell.run('--url', api.url, 'Do it')
    await shell.type('◆  What is it?', 'seven', ENTER)
    await expect.poll(shell.screen, { timeout: 10_000, interval: 5 }).toContain('/answer: It must be a colour.\n')
    await shell.type('◆  What is it?', 'blue', ENTER)
    expect(await code).toBe(0)
    expect(answers()).toEqual(['seven', 'blue'])
  })

  test('is dropped when somebody else answers it meanwhile, and the steps that were held back follow', async () => {
    api = await startFakeApi({ script: [created, question({ type: 'string' })] })
    const id = api.add()
    const shell = open('tty')
    const code = shell.run('--url', api.url, 'follow', id)
    await shell.type('◆  What is it?', 'bl')
    api.append(id, { type: 'question.answered', data: { questionId: 'q2', answer: 'red', by: 'ann' } })
    api.append(id, completed)
    expect(await code).toBe(0)
    expect(shell.screen()).toMatch(/closed elsewhere.*red by ann.*completed.*Done\./s)
    expect(answers()).toEqual([])
  })

  test('is dropped when the mission ends', async () => {
    api = await startFakeApi({ script: [created, question({ type: 'string' })] })
    const id = api.add()
    const shell = open('tty')
    const code = shell.run('--url', api.url, 'follow', id)
    await shell.type('◆  What is it?')
    api.append(id, { type: 'mission.cancelled', data: { by: 'ann' } })
    expect(await code).toBe(4)
  })

  test('that is left with Ctrl-C leaves the mission as it is, and exits with 130', async () => {
    api = await startFakeApi({ script: [created, question({ type: 'string' }), completed] })
    const shell = open('tty')
    const code = shell.run('--url', api.url, 'Do it')
    await shell.type('◆  What is it?', CTRL_C)
    expect(await code).toBe(130)
    expect(shell.screen()).toContain('The mission goes on. Follow it with:')
    expect(answers()).toEqual([])
  })

  test('is followed by the next one', async () => {
    const second = question({ type: 'boolean' }, 'question', 'q3')
    api = await startFakeApi({ script: [created, question({ type: 'string' }), second, completed] })
    const shell = open('tty')
    const code = shell.run('--url', api.url, 'Do it')
    await shell.type('◆  What is it?', 'blue', ENTER)
    await shell.type('Yes', ENTER)
    expect(await code).toBe(0)
    expect(answers()).toEqual(['blue', true])
  })
})

describe('with no environment running', () => {
  const calls: string[] = []
  beforeEach(() => void calls.splice(0))

  const startEnvironment: StartEnvironment = async (options) => {
    calls.push(`start ${options.dataDir} ${options.port}`)
    options.log('Postgres is ready')
    return {
      url: api.url,
      async stop() {
        calls.push('stop')
      },
    }
  }

  test('a local one is started for the time of the mission, and told about on standard error', async () => {
    api = await startFakeApi({ script: [created, completed] })
    const shell = open('pipe', startEnvironment)
    expect(await shell.run('Do it')).toBe(0)
    expect(calls).toEqual([`start ${dataDir} 0`, 'stop'])
    expect(shell.screen()).toMatch(/^Postgres is ready\nmission /)
  })

  test('a run.json that a killed environment left behind is passed over', async () => {
    api = await startFakeApi({ script: [created, completed] })
    const { pid } = spawnSync(process.execPath, ['--version'])
    await writeFile(join(dataDir, 'run.json'), JSON.stringify({ event: 'ready', url: 'http://127.0.0.1:9', pid }))
    expect(await open('pipe', startEnvironment).run('Do it')).toBe(0)
    expect(calls).toHaveLength(2)
  })

  test('it is stopped also when the API refuses', async () => {
    api = await startFakeApi({
      script: [],
      refuse: () => ({ status: 400, body: problem(400, 'invalid_request', 'No.') }),
    })
    expect(await open('pipe', startEnvironment).run('Do it')).toBe(1)
    expect(calls.at(-1)).toBe('stop')
  })

  test('Ctrl-C stops it, and says that the mission is kept and goes on at the next start', async () => {
    api = await startFakeApi({ script: [created] })
    const shell = open('pipe', startEnvironment)
    const code = shell.run('Do it')
    await shell.type('created')
    shell.context.interrupt.abort('SIGINT')
    expect(await code).toBe(130)
    expect(shell.screen()).toMatch(/kept and goes on at the next start.*mission -- follow \S{36} --data /)
    expect(calls.at(-1)).toBe('stop')
  })

  test('Ctrl-C while it starts stops it again and submits nothing', async () => {
    api = await startFakeApi({ script: [created] })
    const shell = open('pipe', async (options) => {
      shell.context.interrupt.abort('SIGINT')
      return startEnvironment(options)
    })
    expect(await shell.run('Do it')).toBe(130)
    expect(calls.at(-1)).toBe('stop')
    expect(api.requests).toEqual([])
  })

  test('a start that fails is told in its own words, and exits with 1', async () => {
    api = await startFakeApi({ script: [] })
    const shell = open('pipe', () => Promise.reject(new Error('The disk is full. Make room and try again.')))
    expect(await shell.run('Do it')).toBe(1)
    expect(shell.screen()).toBe('The disk is full. Make room and try again.\n')
  })

  test('a question without a terminal says how to answer and how to let the mission go on', async () => {
    api = await startFakeApi({ script: [created, question({ type: 'boolean' }), completed] })
    const shell = open('pipe', startEnvironment)
    expect(await shell.run('Do it')).toBe(5)
    expect(shell.screen()).toMatch(/mission -- answer \S{36} q2 true --data .*\nThen let it go on with: .* follow /)
  })
})
