import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Context } from '../../scripts/mission/context.ts'
import { readPipedInput } from '../../scripts/mission/piped-input.ts'
import { readFiles } from '../../scripts/mission/read-files.ts'
import { spreadFiles } from '../../scripts/mission/spread-files.ts'
import { createTerminal } from '../../scripts/mission/terminal.ts'
import { startFakeApi, type FakeApi } from '../support/fake-api.ts'

const LEFT_ALONE =
  'Standard input is left alone, since it may belong to what called this. To send it along, give --file -\n'
const entry = join(import.meta.dirname, '../../scripts/mission.ts')

// Some tests start Node, which takes seconds on a busy machine.
vi.setConfig({ testTimeout: 30_000 })

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mission-'))
  vi.stubEnv('INIT_CWD', folder)
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true })
})

async function lay(...paths: string[]): Promise<void> {
  for (const path of paths) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), path)
  }
}

/** The files by the names that the mission sees, each with the path it was written from. */
async function found(...patterns: string[]): Promise<Record<string, string>> {
  const files = await readFiles(patterns)
  return Object.fromEntries(files.map(({ name, content }) => [name, content]))
}

describe('--file', () => {
  test.each<[string, string[], string[], Record<string, string>]>([
    ['a glob, sorted', ['b.csv', 'a.csv', 'c.txt'], ['*.csv'], { 'a.csv': 'a.csv', 'b.csv': 'b.csv' }],
    ['several, in the order given', ['b.csv', 'a.txt'], ['*.csv', 'a.*'], { 'b.csv': 'b.csv', 'a.txt': 'a.txt' }],
    ['a path that looks like a glob', ['[a].csv', 'a.csv'], ['[a].csv'], { '[a].csv': '[a].csv' }],
    ['braces', ['a.csv', 'b.csv', 'c.csv'], ['{a,c}.csv'], { 'a.csv': 'a.csv', 'c.csv': 'c.csv' }],
    ['files only', ['x/a.csv', 'y.csv'], ['*'], { 'y.csv': 'y.csv' }],
    [
      'folders below, but not node_modules and nothing hidden',
      ['x/a.csv', 'node_modules/p/b.csv', 'x/node_modules/c.csv', '.git/d.csv', '.e.csv'],
      ['**/*.csv'],
      { 'a.csv': 'x/a.csv' },
    ],
    ['what is hidden, where it is asked for', ['.x/a.csv'], ['.x/*.csv'], { 'a.csv': '.x/a.csv' }],
    ['node_modules, where it is named', ['node_modules/a.csv'], ['node_modules/*'], { 'a.csv': 'node_modules/a.csv' }],
    ['a file once, however often it is named', ['a.csv'], ['a.csv', './a.csv', '*.csv'], { 'a.csv': 'a.csv' }],
    [
      'files of one name with the folders that tell them apart',
      ['2024/q1/t.csv', '2025/q1/t.csv', 'other/u.csv', 't.csv'],
      ['**/*.csv'],
      { '2024/q1/t.csv': '2024/q1/t.csv', '2025/q1/t.csv': '2025/q1/t.csv', 'u.csv': 'other/u.csv' },
    ],
  ])('takes %s', async (_, paths, patterns, expected) => {
    await lay(...paths)
    const files = await found(...patterns)
    expect(files).toMatchObject(expected)
    // A file at the top is told apart by the folder that everything stands in, whose name is not known here.
    const others = Object.keys(files).filter((name) => !Object.hasOwn(expected, name))
    expect(others.map((name) => files[name])).toEqual(paths.includes('2024/q1/t.csv') ? ['t.csv'] : [])
    expect(Object.keys(files).slice(0, Object.keys(expected).length)).toEqual(Object.keys(expected))
  })

  test('takes globs that lead out of the folder', async () => {
    await lay('in/x', 'out/a.csv', 'out/node_modules/b.csv')
    vi.stubEnv('INIT_CWD', join(folder, 'in'))
    expect(await found('../out/**/*.csv')).toEqual({ 'a.csv': 'out/a.csv' })
  })

  test('takes absolute globs', async () => {
    await lay('a.csv')
    expect(await found(join(folder, '*.csv'))).toEqual({ 'a.csv': 'a.csv' })
  })

  test('refuses a glob that finds more than 20 files before it reads one', async () => {
    await lay(...Array.from({ length: 21 }, (_, index) => `${index}.csv`))
    await expect(readFiles(['*.csv'])).rejects.toThrow('A mission takes up to 20 files; these are 21.')
  })
})

describe('the words that a shell makes of --file *.csv', () => {
  const kindOf = (path: string) => (path.endsWith('.csv') ? 'file' : path.endsWith('/') ? 'folder' : undefined)
  test.each<[string, string]>([
    ['Total --file a.csv b.csv --json', 'Total --file a.csv --file b.csv --json'],
    ['--file a.csv b.csv Total', '--file a.csv --file b.csv Total'],
    ['Total --file a.csv sub/ b.csv', 'Total --file a.csv --file b.csv'],
    ['Total --file sub/ b.csv', 'Total --file b.csv'],
    ['Total --file sub/', 'Total --file sub/'],
    ['Total --file nope b.csv', 'Total --file nope --file b.csv'],
    ['Total --file', 'Total --file'],
    ['Total -- --file a.csv b.csv', 'Total -- --file a.csv b.csv'],
    ['show a.csv b.csv', 'show a.csv b.csv'],
  ])('%s', (words, expected) => {
    expect(spreadFiles(words.split(' '), kindOf).join(' ')).toBe(expected)
  })
})

describe('standard input', () => {
  let api: FakeApi
  beforeEach(async () => {
    api = await startFakeApi({ script: [{ type: 'mission.completed', data: { result: { text: 'Done.' } } }] })
  })
  afterEach(() => api.stop())

  async function run(
    stdin: 'pipe' | 'ignore' | number,
    fill: (stdin: NodeJS.WritableStream) => void,
    ...more: string[]
  ) {
    const env = { PATH: process.env.PATH, INIT_CWD: folder }
    const words = [entry, '--url', api.url, 'Do it', ...more]
    const child = spawn(process.execPath, words, { cwd: folder, env, stdio: [stdin, 'pipe', 'pipe'] })
    if (child.stdin !== null) fill(child.stdin)
    const [[code], stderr] = await Promise.all([once(child, 'close'), text(child.stderr as NodeJS.ReadableStream)])
    const sent = (api.requests[0]?.body as { files?: unknown } | undefined)?.files
    return { code: code as number, stderr, sent }
  }

  test.each<[string, string | Buffer, string]>([
    ['a table', 'customer,amount\nAnn,1\n"Bob, jr",2\n', 'stdin.csv'],
    ['a table with semicolons', 'a;b\n1,5;2\n', 'stdin.csv'],
    ['an object', '\n{"a": 1}\n', 'stdin.json'],
    ['a list', '[1, 2]', 'stdin.json'],
    ['prose', 'Dear Ann, hello.\nHow are you?\n', 'stdin.txt'],
    ['one line with commas', 'red, green, blue', 'stdin.txt'],
    ['what begins like JSON', '[draft] hello', 'stdin.txt'],
    ['bytes that are no text', Buffer.from([0xff, 0, 1]), 'stdin.bin'],
  ])('of %s goes along under a name that says what it is', async (_, content, name) => {
    const stdin = Object.assign(new PassThrough(), { isTTY: false })
    stdin.end(content)
    const file = await readPipedInput(contextOf(stdin), true)
    const encoding = name === 'stdin.bin' ? 'base64' : 'utf8'
    expect(file).toEqual({ name, content: Buffer.from(content).toString(encoding), encoding })
  })

  test('that is piped goes along after the files', async () => {
    await lay('a.txt')
    const { code, sent } = await run('pipe', (stdin) => stdin.end('x\n'), '--file', '-', '--file', 'a.txt')
    expect(code).toBe(0)
    expect(sent).toMatchObject([{ name: 'a.txt' }, { name: 'stdin.txt', content: 'x\n' }])
  })

  test('that is redirected from a file goes along', async () => {
    await lay('in')
    const file = openSync(join(folder, 'in'), 'r')
    expect(await run(file, () => undefined)).toEqual({
      code: 0,
      stderr: 'Standard input goes along as stdin.txt (2 B).\n',
      sent: [{ name: 'stdin.txt', content: 'in', encoding: 'utf8' }],
    })
    closeSync(file)
  })

  test('that is /dev/null or an empty file is no file', async () => {
    expect(await run('ignore', () => undefined)).toEqual({ code: 0, stderr: '', sent: undefined })
    await writeFile(join(folder, 'empty'), '')
    const file = openSync(join(folder, 'empty'), 'r')
    expect(await run(file, () => undefined)).toEqual({ code: 0, stderr: '', sent: undefined })
    closeSync(file)
  })

  test.each<[string, (stdin: NodeJS.WritableStream) => void]>([
    ['nobody writes to', () => undefined],
    ['is full', (stdin) => void stdin.end('x')],
  ])('that is a pipe which %s is left alone where no terminal is, and that is said', async (_, fill) => {
    const { code, stderr, sent } = await run('pipe', fill)
    expect({ code, sent, stderr }).toEqual({ code: 0, sent: undefined, stderr: LEFT_ALONE })
  })

  test('that is slow is waited for with --file -', async () => {
    const slow = (stdin: NodeJS.WritableStream): void => void setTimeout(() => stdin.end('late'), 1500)
    expect(await run('pipe', slow, '--file', '-')).toMatchObject({ code: 0, stderr: '', sent: [{ content: 'late' }] })
  })

  test('over 8 MiB is refused before any request', async () => {
    const { code, stderr } = await run(
      'pipe',
      (stdin) => {
        stdin.on('error', () => undefined)
        stdin.end(Buffer.alloc(8 * 1024 * 1024 + 1, 'x'))
      },
      '--file',
      '-',
    )
    expect({ code, requests: api.requests.length }).toEqual({ code: 2, requests: 0 })
    expect(stderr).toContain('more than 8 MiB')
  })

  test('that would be called as another file is refused', async () => {
    await lay('stdin.txt')
    const { code, stderr } = await run('pipe', (stdin) => stdin.end('x'), '--file', '-', '--file', 'stdin.txt')
    expect({ code, stderr: stderr.trim() }).toEqual({
      code: 2,
      stderr: 'Standard input would be called stdin.txt as another file is; rename that one.',
    })
  })

  describe('that belongs to the script which calls the command', () => {
    const detached = (words: string): string =>
      `'${process.execPath}' '${entry}' --url ${api.url} --detach ${words} 2>>err >>out`
    const goals = (): unknown[] => api.requests.map(({ body }) => body)

    /** Runs bash with this on its standard input, and answers what the commands in it said. */
    async function bash(stdin: 'pipe' | number, script: string, env: NodeJS.ProcessEnv, ...words: string[]) {
      const child = spawn('bash', words, {
        cwd: folder,
        env: { PATH: process.env.PATH, INIT_CWD: folder, ...env },
        stdio: [stdin, 'ignore', 'ignore'],
      })
      child.stdin?.end(script)
      await once(child, 'close')
      return readFile(join(folder, 'err'), 'utf8')
    }

    test.each([{}, { CI: 'true' }])('leaves the next lines of a piped script to it, with %j', async (env) => {
      const said = await bash('pipe', `${detached('one')}\n${detached('two')}\n`, env)
      expect(goals()).toEqual([{ goal: 'one' }, { goal: 'two' }])
      expect(said).toContain(LEFT_ALONE)
    })

    // Only Linux tells how far a file was read.
    test.runIf(process.platform === 'linux')('leaves those of a script that bash reads from a file', async () => {
      await writeFile(join(folder, 'script'), `${detached('one')}\n${detached('two')}\n`)
      const file = openSync(join(folder, 'script'), 'r')
      await bash(file, '', {})
      closeSync(file)
      expect(goals()).toEqual([{ goal: 'one' }, { goal: 'two' }])
    })

    test('leaves the lines of a loop to it', async () => {
      const loop = `while read -r goal; do ${detached('"$goal"')}; done`
      await bash('pipe', 'one\ntwo\n', {}, '-c', loop)
      expect(goals()).toEqual([{ goal: 'one' }, { goal: 'two' }])
    })
  })

  describe('where a person waits at a terminal', () => {
    const wait = { quiet: 5, most: 10 }

    /** A pipe with both ends open, which never ends by itself. */
    async function openPipe(use: (stdin: PassThrough, context: Context, said: () => string) => Promise<void>) {
      execFileSync('mkfifo', [join(folder, 'pipe')])
      const fd = openSync(join(folder, 'pipe'), 'r+')
      const stdin = Object.assign(new PassThrough(), { isTTY: false, fd })
      const context = contextOf(stdin, true)
      await use(stdin, context, () => String((context.terminal.streams.stderr as unknown as PassThrough).read() ?? ''))
      closeSync(fd)
    }

    test('and nothing comes, it is refused with what to do', () =>
      openPipe(async (_, context, said) => {
        await expect(readPipedInput(context, false, wait)).rejects.toThrow(/Wait for it with --file - or go without/)
        expect(said()).toBe('Waiting for standard input …\n')
      }))

    test('and it comes late, it goes along', () =>
      openPipe(async (stdin, context, said) => {
        const file = readPipedInput(context, false, { quiet: 5, most: 30_000 })
        await expect.poll(said).toBe('Waiting for standard input …\n')
        stdin.end('late')
        expect(await file).toMatchObject({ name: 'stdin.txt', content: 'late' })
        expect(said()).toBe('Standard input goes along as stdin.txt (4 B).\n')
      }))

    test('and it begins and then says no more, the wait is over too', () =>
      openPipe(async (stdin, context, said) => {
        stdin.write('x')
        await expect(readPipedInput(context, false, wait)).rejects.toThrow(/^Nothing more came on standard input/)
        expect(said()).toBe('Waiting for standard input …\n')
      }))

    test('and it is empty, it is no file and no word', () =>
      openPipe(async (stdin, context, said) => {
        stdin.end()
        expect(await readPipedInput(context, false)).toBeUndefined()
        expect(said()).toBe('')
      }))

    test('but CI is set, it is left alone', () =>
      openPipe(async (stdin, context, said) => {
        stdin.end('x')
        context.env['CI'] = 'true'
        expect(await readPipedInput(context, false)).toBeUndefined()
        expect(said()).toBe(LEFT_ALONE)
      }))

    test('and Ctrl-C is pressed, the wait is over', () =>
      openPipe(async (_, context) => {
        const file = readPipedInput(context, true, wait)
        context.interrupt.abort('SIGINT')
        await expect(file).rejects.toThrow('Premature close')
      }))
  })

  test('that is this terminal cannot be asked for', async () => {
    const stdin = Object.assign(new PassThrough(), { isTTY: true })
    await expect(readPipedInput(contextOf(stdin), true)).rejects.toThrow('that is this terminal')
    expect(await readPipedInput(contextOf(stdin), false)).toBeUndefined()
  })
})

function contextOf(stdin: PassThrough, isTTY = false): Context {
  const streams = { stdin, stdout: Object.assign(new PassThrough(), { isTTY }), stderr: new PassThrough() }
  return {
    env: {},
    terminal: createTerminal(streams as unknown as Parameters<typeof createTerminal>[0], { NO_COLOR: '1' }),
    interrupt: new AbortController(),
    startEnvironment: () => Promise.reject(new Error('no environment in this test')),
  }
}
