import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Context } from '../../scripts/mission/context.ts'
import { main } from '../../scripts/mission/main.ts'
import { createTerminal } from '../../scripts/mission/terminal.ts'
import { problem, startFakeApi, type FakeApi } from '../support/fake-api.ts'

const usage = { inputTokens: 600, outputTokens: 40, costUsd: '0.0006' }
const created = { type: 'mission.created', data: { profile: { name: 'dev', hash: 'x' }, files: [] } }
const started = { type: 'mission.started', data: { instance: 'i' } }
const toolCalls = ['a', 'b'].map((id) => ({ id, name: `tool_${id}`, arguments: '{"city":"東京"}' }))
const called = { type: 'model.answered', data: { model: 'demo', toolCalls, usage, durationMs: 300 } }
const items = ['One', 'Two'].map((title, index) => ({ id: title, title, status: index === 0 ? 'done' : 'pending' }))
const planned = { type: 'plan.updated', data: { callId: 'a', items } }
const asked = {
  type: 'question.asked',
  data: { questionId: 'q1', callId: 'b', kind: 'question', text: 'What is it?', schema: { type: 'string' } },
}
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

function finished(callId: string) {
  return { type: 'tool.finished', data: { callId, name: `tool_${callId}`, effect: 'read', output: '', durationMs: 9 } }
}

/** What a person sees: as much of a terminal as the command uses, with lines that are broken anew when it gets narrower. */
function createScreen() {
  let lines: string[] = ['']
  let row = 0
  let column = 0
  const move = (to: number): void => {
    row = Math.max(0, to)
    while (lines.length <= row) lines.push('')
  }
  const put = (text: string): void => {
    const line = lines[row] as string
    lines[row] = line.slice(0, column).padEnd(column) + text + line.slice(column + text.length)
    column += text.length
  }
  const control = (code: string, number: string): void => {
    const count = Number(number || 1)
    if (code === 'A') move(row - count)
    if (code === 'B') move(row + count)
    if (code === 'G') column = Number(number || 1) - 1
    if (code === 'C') column += count
    if (code === 'D') column = Math.max(0, column - count)
    if (code === 'J') lines = [...lines.slice(0, row), (lines[row] as string).slice(0, column)]
    if (code === 'K') lines[row] = number === '2' ? '' : (lines[row] as string).slice(0, column)
  }
  return {
    write(text: string) {
      // eslint-disable-next-line no-control-regex -- escape sequences are what it reads
      for (const [, number = '', code, char] of text.matchAll(/\u001b\[\??(\d*)(?:;\d+)*([A-Za-z])|([^\u001b])/gu)) {
        if (code !== undefined) control(code, number)
        else if (char === '\n') [column] = [0, move(row + 1)]
        else if (char === '\r') column = 0
        else put(char as string)
      }
    },
    narrow(to: number) {
      const broken = (line: string): string[] => line.match(new RegExp(`.{1,${to}}`, 'gu')) ?? ['']
      row = lines.slice(0, row).flatMap(broken).length
      lines = lines.flatMap(broken)
    },
    text: () =>
      lines
        .map((line) => line.trimEnd())
        .join('\n')
        .trimEnd(),
  }
}

function open(env: NodeJS.ProcessEnv = {}) {
  const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() }
  const screen = createScreen()
  let raw = ''
  for (const output of [streams.stdout, streams.stderr]) {
    output.on('data', (piece: Buffer) => {
      raw += piece.toString()
      screen.write(piece.toString())
    })
  }
  const tty = { isTTY: true, isRaw: false, setRawMode: () => streams.stdin }
  Object.assign(streams.stdin, tty)
  Object.assign(streams.stdout, { isTTY: true, columns: 80, rows: 30 })
  const context: Context = {
    env,
    terminal: createTerminal(streams as unknown as Parameters<typeof createTerminal>[0], env),
    interrupt: new AbortController(),
    startEnvironment: () => Promise.reject(new Error('no environment in this test')),
  }
  return {
    context,
    screen: screen.text,
    raw: () => raw,
    async shows(text: string) {
      await expect.poll(screen.text, { timeout: 10_000, interval: 5 }).toContain(text)
    },
    run: (...words: string[]) => main(['--data', dataDir, '--url', api.url, ...words], context),
    type: (text: string) => streams.stdin.write(text),
    narrow(columns: number) {
      screen.narrow(columns)
      Object.assign(streams.stdout, { columns })
      streams.stdout.emit('resize')
    },
  }
}

/** The cursor and wrapping are as they were: each is back at the end of whatever took it away. */
function expectTidy(raw: string): void {
  for (const mode of ['?25', '?7']) {
    expect(raw.lastIndexOf(`\u001b[${mode}h`)).toBeGreaterThanOrEqual(raw.lastIndexOf(`\u001b[${mode}l`))
  }
}

describe('on a terminal', () => {
  test('what runs is drawn below the steps that are done, and leaves nothing behind at the end', async () => {
    api = await startFakeApi({ script: [created, started, called] })
    const id = api.add()
    const shell = open()
    const code = shell.run('follow', id)
    await shell.shows('tool_b {"city":"東京"}')
    expect(shell.screen()).toMatch(
      /→ tool_a, tool_b\n\n. tool {6}tool_a .* s\n. tool {6}tool_b .* s\n1 step · 600 in, 40 out tokens · \$0\.0006 · /,
    )
    api.append(id, planned)
    await shell.shows('            · Two')
    api.append(id, finished('b'))
    await shell.shows('model     thinks')
    expect(shell.screen()).toMatch(
      /✔ tool {6}tool_b .*\n\n. model {5}thinks .*\n☰ plan {6}1 of 2 done\n.*✔ One\n.*· Two\n3 steps/,
    )
    api.append(id, completed)
    expect(await code).toBe(0)
    expect(shell.raw()).toContain('\u001b[?25l')
    expectTidy(shell.raw())

    const plain = open({ NO_COLOR: '1' })
    await plain.run('follow', id)
    expect(shell.screen()).toBe(plain.screen())
  })

  test('an answer that is being written grows below, and its place is taken by the step', async () => {
    api = await startFakeApi({ script: [created, started] })
    const id = api.add()
    const shell = open()
    const code = shell.run('follow', id)
    await shell.shows('thinks')
    await api.watched(id)
    api.delta(id, { afterSeq: 2, offset: 0, text: 'It is\u001b[31m ' })
    api.delta(id, { afterSeq: 2, offset: 11, text: '東京\n' })
    api.delta(id, { afterSeq: 2, offset: 14, text: 'of course' })
    await shell.shows('It is 東京\n            of course')
    expect(shell.screen()).toMatch(/● started\n\n. model {5}answers .*\n {12}It is 東京\n {12}of course\n0 steps/)
    api.delta(id, { afterSeq: 2, offset: 0, text: 'No, it is 大阪' })
    await shell.shows('No, it is 大阪')
    expect(shell.screen()).not.toContain('of course')
    api.append(id, called)
    await shell.shows('tool_b')
    expect(shell.screen()).not.toContain('大阪')
    api.append(id, completed)
    expect(await code).toBe(0)
    expectTidy(shell.raw())
  })

  test('an API from before shows no answers ahead, and is asked for them once', async () => {
    api = await startFakeApi({
      script: [created, started],
      breaks: [{ after: 1, how: 'close' }],
      refuse: ({ path }) =>
        path.includes('deltas') ? { status: 400, body: problem(400, 'invalid_request', 'No deltas.') } : undefined,
    })
    const id = api.add()
    api.append(id, completed)
    const shell = open()
    expect(await shell.run('follow', id)).toBe(0)
    expect(shell.screen()).not.toMatch(/offline|Refused/)
    const streams = api.requests.filter(({ path }) => path.includes('/events'))
    expect(streams.map(({ path }) => path.split('/events')[1])).toEqual(['?deltas=true', '', ''])
  })

  test('nothing is drawn over a question, and the view comes back behind it', async () => {
    api = await startFakeApi({ script: [created, started, called, asked, finished('a')] })
    const id = api.add()
    const shell = open()
    const code = shell.run('follow', id)
    await shell.shows('◆  What is it?')
    expect(shell.screen()).not.toContain('tokens')
    shell.type('blue')
    await shell.shows('│  blue')
    // Half of an answer is not drawn over by what happens meanwhile.
    api.append(id, planned)
    shell.context.terminal.region.redraw()
    expect(shell.screen()).not.toContain('tokens')
    shell.type('\r')
    await shell.shows('thinks')
    expect(shell.screen()).toMatch(
      /◇ {2}What is it\?\n│ {2}blue\n.*plan.*\n.*\n.*\n✔ answer.*\n✔ tool {6}tool_a.*\n\n. model/s,
    )
    api.append(id, completed)
    expect(await code).toBe(0)
    expect(shell.screen()).not.toContain('thinks')
    expectTidy(shell.raw())
  })

  test('Ctrl-C takes the view off the screen and says how to follow', async () => {
    api = await startFakeApi({ script: [created, started] })
    const shell = open()
    const code = shell.run('Do it')
    await shell.shows('thinks')
    shell.context.interrupt.abort('SIGINT')
    expect(await code).toBe(130)
    expect(shell.screen()).toMatch(/● started\nThe mission goes on\. Follow it with: .*$/)
    expectTidy(shell.raw())
  })

  test('a lost connection is shown until it is back', async () => {
    let isDown = true
    api = await startFakeApi({
      script: [created, started, called],
      breaks: [{ after: 2, how: 'cut' }],
      refuse: ({ headers }) =>
        isDown && headers['last-event-id'] !== undefined
          ? { status: 503, body: problem(503, 'not_ready', 'Soon.') }
          : undefined,
    })
    const id = api.add()
    const shell = open()
    const code = shell.run('follow', id)
    await shell.shows('! offline   Connection lost, trying again')
    isDown = false
    await shell.shows('tool_b {"city"')
    expect(shell.screen()).not.toContain('offline')
    api.append(id, completed)
    expect(await code).toBe(0)
    expect(shell.screen()).not.toContain('Connection')
  })

  test('a trouble that does not pass ends the view before it is told', async () => {
    api = await startFakeApi({
      script: [created, started, called],
      breaks: [{ after: 2, how: 'cut' }],
      refuse: ({ headers }) =>
        headers['last-event-id'] === undefined
          ? undefined
          : { status: 403, body: problem(403, 'forbidden', 'No more.') },
    })
    const shell = open()
    expect(await shell.run('follow', api.add())).toBe(1)
    expect(shell.screen()).toMatch(/● started\nRefused: forbidden\nNo more\.$/)
    expectTidy(shell.raw())
  })

  test('that becomes narrower, the view is drawn anew and leaves no broken lines', async () => {
    api = await startFakeApi({ script: [created, started, called] })
    const id = api.add()
    const shell = open()
    const code = shell.run('follow', id)
    await shell.shows('tool_b')
    shell.narrow(50)
    await shell.shows('1 step')
    expect(shell.screen().match(/tool {6}tool_a/g)).toHaveLength(1)
    expect(shell.screen().match(/tokens/g)).toHaveLength(1)
    expect(shell.screen()).toContain('● started\n')
    api.append(id, completed)
    expect(await code).toBe(0)
    expect(shell.screen()).not.toContain('tool_b {')
  })
})

describe('nothing is drawn over', () => {
  test.each<[string, NodeJS.ProcessEnv, string[]]>([
    ['with NO_COLOR', { NO_COLOR: '1' }, []],
    ['on a dumb terminal', { TERM: 'dumb' }, []],
    ['in CI', { CI: 'true' }, []],
    ['with --json', {}, ['--json']],
  ])('%s', async (_, env, words) => {
    api = await startFakeApi({ script: [created, started, called, finished('a'), completed] })
    const shell = open(env)
    expect(await shell.run('Do it', ...words)).toBe(0)
    expect(api.requests.filter(({ path }) => path.includes('deltas'))).toEqual([])
    // Colours are the only escape sequences.
    expect(shell.raw().replaceAll(/\[\d+m/g, '')).not.toMatch(/\[\??\d*[A-Za-z]/)
  })
})
