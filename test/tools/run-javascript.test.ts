import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import { createRunJavascript } from '../../src/tools/run-javascript.ts'
import { describeTool } from '../../src/tools/registry.ts'
import { createSlots } from '../../src/tools/sandbox/slots.ts'
import { call, contextWith } from './context.ts'
import { inReusedThread } from './reused-thread.ts'

interface Answer {
  result: unknown
  note?: string
  logs?: string[]
}

const tool = createRunJavascript()
const quick = createRunJavascript({ execute: inReusedThread })

async function run(code: string, files: Record<string, string | Buffer> = {}, using = quick): Promise<Answer> {
  const text = await call(using, { code, files: Object.keys(files) }, contextWith(files))
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(tool.maxOutputBytes)
  return JSON.parse(text) as Answer
}

function failure(code: string, message: string | RegExp) {
  return { name: 'TerminalError', code, message: expect.stringMatching(message) as string }
}

describe('ordinary use', () => {
  test('gives back the value of the last expression and nothing else', async () => {
    expect(await run('const a = 20\nconst b = 22\na + b', {}, tool)).toEqual({ result: 42 })
    expect(await run('({ total: 1, rows: ["ä", null, true] })')).toEqual({
      result: { total: 1, rows: ['ä', null, true] },
    })
  })

  test('sums a CSV file', async () => {
    const code = `
      const rows = files['sales.csv'].trim().split('\\n').slice(1).map((line) => line.split(','))
      rows.reduce((sum, [, amount]) => sum + Number(amount), 0)`
    expect(await run(code, { 'sales.csv': '\uFEFFname,amount\nAnn,1.5\nBob,40\n' }, tool)).toEqual({ result: 41.5 })
  })

  test('reads JSON, and several files at once, one of them named twice', async () => {
    const context = contextWith({ 'a/b.json': '{"n":[1,2]}', 'c.txt': 'zwölf' })
    const args = {
      code: 'JSON.parse(files["a/b.json"]).n.length + files["c.txt"]',
      files: ['a/b.json', 'c.txt', 'c.txt'],
    }
    expect(JSON.parse(await call(tool, args, context))).toEqual({ result: '2zwölf' })
  })

  test('has no files that were not named', async () => {
    expect(JSON.parse(await call(tool, { code: 'files' }, contextWith({ 'a.txt': 'secret' })))).toEqual({ result: {} })
  })

  test.each([
    ['await at the top', 'const x = await Promise.resolve(3); x * 2', 6],
    ['an async function', 'async function main() { await null; return "done" }\nmain()', 'done'],
    ['a promise', 'new Promise((resolve) => resolve({ ok: true }))', { ok: true }],
    ['many steps of promises', 'let n = 0; while (n < 5000) { await null; n++ }; n', 5000],
    ['the date', 'new Date(Date.UTC(2026, 1, 28)).toISOString()', '2026-02-28T00:00:00.000Z'],
    ['the time and chance', 'Date.now() > 1.7e12 && Math.random() < 1', true],
    ['a recursion of 10,000 calls', 'const sum = (n) => (n === 0 ? 0 : n + sum(n - 1)); sum(10000)', 50_005_000],
    ['a variable without const', 'total = 0; for (const n of [1, 2]) total += n; total', 3],
    ['a regular expression', '"a1b22".match(/\\d+/g)', ['1', '22']],
  ])('runs %s', async (_what, code, result) => {
    expect(await run(code)).toEqual({ result })
  })

  test('keeps nothing from one call to the next', async () => {
    await run('globalThis.kept = 1; Object.prototype.kept = 1; 0', {}, tool)
    expect(await run('[typeof kept, typeof ({}).kept]', {}, tool)).toEqual({ result: ['undefined', 'undefined'] })
  })

  test('gives back what was logged, objects as JSON', async () => {
    expect(
      await run('console.log("rows", [1, { a: 2 }]); console.error(new TypeError("no")); console.warn(); 1'),
    ).toEqual({ result: 1, logs: ['rows [1,{"a":2}]', '"TypeError: no"', ''] })
  })

  test('6 calls at once each get their own answer', async () => {
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, n) => run(`console.log(${n}); ${n} ** 2`, {}, tool)),
    )
    expect(answers).toEqual(answers.map((_, n) => ({ result: n * n, logs: [String(n)] })))
  })
})

describe('files and arguments', () => {
  test('a missing and a binary file are named', async () => {
    const context = contextWith({ 'a.png': Buffer.from([0x89, 0x50, 0xff]) })
    await expect(call(tool, { code: '1', files: ['b.txt'] }, context)).rejects.toMatchObject({ code: 'file_not_found' })
    await expect(call(tool, { code: '1', files: ['a.png'] }, context)).rejects.toMatchObject({ code: 'binary_file' })
  })

  test('files together may have 2 MiB, and no byte of larger ones is read', async () => {
    const half = 'x'.repeat(1024 * 1024)
    expect(await run('Object.values(files).map((text) => text.length)', { a: half, b: half })).toEqual({
      result: [1_048_576, 1_048_576],
    })
    const context = contextWith({ a: half, b: half, c: 'y' })
    context.workspace.read = () => Promise.reject(new Error('was read'))
    await expect(call(tool, { code: '1', files: ['a', 'b', 'c'] }, context)).rejects.toMatchObject(
      failure(
        'too_large',
        /^The files have 2\.\d MiB together; a call takes 2 MiB\. Name fewer files, or use query_table/,
      ),
    )
  })

  test('2 MiB of characters of every width arrive as they are', async () => {
    const text = 'aü€😀"\\\n'.repeat(140_000)
    let sum = 0
    for (const letter of text) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) | 0
    const code =
      'let sum = 0; for (const letter of files.a) sum = (sum * 31 + letter.codePointAt(0)) | 0; [files.a.length, sum]'
    expect(await run(code, { a: text }, tool)).toEqual({ result: [text.length, sum] })
  })

  test("files are read when it is their call's turn, and not while it waits", async () => {
    const slots = createSlots(1, 60_000)
    const { promise: held, resolve: release } = Promise.withResolvers<void>()
    const first = slots.run(new AbortController().signal, () => held)
    const context = contextWith({ a: 'text' })
    const read = vi.spyOn(context.workspace, 'read')
    const waiting = call(
      createRunJavascript({ slots, execute: inReusedThread }),
      { code: 'files.a', files: ['a'] },
      context,
    )
    await new Promise(setImmediate)
    expect(read).not.toHaveBeenCalled()
    release()
    await first
    expect(await waiting).toBe('{"result":"text"}')
  })

  test.each([
    ['no code', { code: '' }],
    ['more than 64 KiB of code', { code: ' '.repeat(65_537) }],
    ['11 files', { code: '1', files: Array.from({ length: 11 }, (_, n) => `f${n}`) }],
    ['a timeout of its own', { code: '1', timeoutMs: 1 }],
  ])('%s is refused', (_what, args) => {
    expect(tool.input.safeParse(args).success).toBe(false)
  })

  test('the model learns what exists and what does not', () => {
    const { description, parameters } = describeTool(tool)
    expect(description).toMatch(/no network.*calculate or query_table for money/)
    expect(parameters).toMatchObject({ required: ['code'] })
  })
})

describe('stopping', () => {
  const endless = createRunJavascript({
    limits: { deadlineMs: 600_000, hardStopMs: 600_000 },
    slots: createSlots(1, 600_000),
  })

  test('an abort ends a running and a waiting call with its reason, and gives the slot to the next', async () => {
    const controllers = [new AbortController(), new AbortController()] as const
    const calls = controllers.map(({ signal }) => call(endless, { code: 'for (;;) {}' }, { ...contextWith(), signal }))
    const next = call(endless, { code: '7' }, contextWith())
    const reasons = [new Error('cancelled'), new Error('not needed')]
    // So that the first one is in its loop.
    await sleep(500)
    controllers[1].abort(reasons[1])
    await expect(calls[1]).rejects.toBe(reasons[1])
    controllers[0].abort(reasons[0])
    await expect(calls[0]).rejects.toBe(reasons[0])
    expect(await next).toBe('{"result":7}')
  })

  test('a call that was aborted before starts nothing', async () => {
    const signal = AbortSignal.abort(new Error('too late'))
    await expect(call(endless, { code: '1' }, { ...contextWith(), signal })).rejects.toThrow('too late')
  })
})
