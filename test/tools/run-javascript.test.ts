import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { createRunJavascript } from '../../src/tools/run-javascript.ts'
import { describeTool } from '../../src/tools/registry.ts'
import { createSlots } from '../../src/tools/sandbox/slots.ts'
import { call, contextWith } from './context.ts'

interface Answer {
  result: unknown
  note?: string
  logs?: string[]
}

const tool = createRunJavascript()

async function run(code: string, files: Record<string, string | Buffer> = {}): Promise<Answer> {
  const text = await call(tool, { code, files: Object.keys(files) }, contextWith(files))
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(tool.maxOutputBytes)
  return JSON.parse(text) as Answer
}

function failure(code: string, message: string | RegExp) {
  return { name: 'TerminalError', code, message: expect.stringMatching(message) as string }
}

describe('ordinary use', () => {
  test('gives back the value of the last expression and nothing else', async () => {
    expect(await run('const a = 20\nconst b = 22\na + b')).toEqual({ result: 42 })
    expect(await run('({ total: 1, rows: ["ä", null, true] })')).toEqual({
      result: { total: 1, rows: ['ä', null, true] },
    })
  })

  test('sums a CSV file', async () => {
    const code = `
      const rows = files['sales.csv'].trim().split('\\n').slice(1).map((line) => line.split(','))
      rows.reduce((sum, [, amount]) => sum + Number(amount), 0)`
    expect(await run(code, { 'sales.csv': '\uFEFFname,amount\nAnn,1.5\nBob,40\n' })).toEqual({ result: 41.5 })
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
    await run('globalThis.kept = 1; Object.prototype.kept = 1; 0')
    expect(await run('[typeof kept, typeof ({}).kept]')).toEqual({ result: ['undefined', 'undefined'] })
  })

  test('gives back what was logged, objects as JSON', async () => {
    expect(
      await run('console.log("rows", [1, { a: 2 }]); console.error(new TypeError("no")); console.warn(); 1'),
    ).toEqual({ result: 1, logs: ['rows [1,{"a":2}]', '"TypeError: no"', ''] })
  })

  test('10 calls at once each get their own answer', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => run(`console.log(${n}); ${n} ** 2`)))
    expect(answers).toEqual(answers.map((_, n) => ({ result: n * n, logs: [String(n)] })))
  })
})

describe('values that JSON does not have', () => {
  test.each([
    ['BigInt', '2n ** 64n', '18446744073709551616'],
    ['NaN and Infinity', '[0 / 0, -1 / 0]', ['NaN', '-Infinity']],
    ['a function', '() => 1', '[function]'],
    ['a symbol', 'Symbol("s")', 'Symbol(s)'],
    ['Map and Set', '[new Map([["a", 1]]), new Set([1, 1])]', [[['a', 1]], [1]]],
    ['a typed array', 'new Uint8Array([1, 2])', [1, 2]],
    ['an error', '[new RangeError("far")]', ['RangeError: far']],
    ['a promise inside of the result', '[Promise.resolve(1)]', ['[promise, not awaited]']],
    ['half a character', '"\\ud83d"', '\ud83d'],
  ])('%s is written so that it can be read', async (_what, code, result) => {
    expect(await run(code)).toEqual({ result })
  })

  test.each(['undefined', 'const total = 3', 'for (const n of [1]) { let x = n }', ''.padEnd(3)])(
    'says what is missing when %j gives nothing',
    async (code) => {
      expect(await run(code)).toEqual({ result: null, note: expect.stringContaining('gave undefined') as string })
    },
  )

  test('says that a cycle can not be written', async () => {
    const said = failure('script_failed', /can't be written as JSON: TypeError: circular reference.*Give back plain/)
    await expect(run('const a = {}; a.a = a; a')).rejects.toMatchObject(said)
    await expect(run('const m = new Map(); m.set(1, m); m')).rejects.toMatchObject(
      failure('script_failed', "can't be written as JSON"),
    )
  })

  test('a key called __proto__ is a key like any other, in a result and in files', async () => {
    const text = await call(
      tool,
      { code: 'JSON.parse(files["__proto__"])', files: ['__proto__'] },
      contextWith(Object.fromEntries([['__proto__', '{"__proto__":{"polluted":1},"constructor":2}']])),
    )
    expect(text).toBe('{"result":{"__proto__":{"polluted":1},"constructor":2}}')
    expect(Object.keys(Object.prototype)).toEqual([])
    expect({}).not.toHaveProperty('polluted')
  })
})

describe('results that are too long stay whole JSON', () => {
  test('of an array the first elements are kept', async () => {
    const { result, note } = await run('Array.from({ length: 20000 }, (_, n) => ({ n, name: "Zoë " + n }))')
    const kept = result as { n: number; name: string }[]
    expect(kept.length).toBeGreaterThan(1000)
    expect(kept.at(-1)).toEqual({ n: kept.length - 1, name: `Zoë ${kept.length - 1}` })
    expect(note).toBe(`Only the first ${kept.length} of 20000 elements fit into one answer. Give back less.`)
  })

  test.each(['x', 'ü', '😀', '"', '\\n'])('of a text of %j the beginning is kept', async (letter) => {
    const { result, note } = await run(`'${letter}'.repeat(300000)`)
    const character = letter === '\\n' ? '\n' : letter
    expect((result as string).length).toBeGreaterThan(5000)
    expect(result).toBe(character.repeat((result as string).length / character.length))
    expect(note).toContain(`first ${(result as string).length} of ${300_000 * character.length} characters of the text`)
  })

  test('of anything else the beginning is shown as text', async () => {
    const { result, note } = await run('({ a: "x".repeat(100000) })')
    expect(result).toMatch(/^\{"a":"x+$/)
    expect(note).toContain('characters of the JSON (given here as text)')
    expect((await run('["y".repeat(100000)]')).result).toMatch(/^\["y+$/)
  })

  test('a full result and full logs fit into one answer together', async () => {
    const { result, logs } = await run(
      'for (let n = 0; n < 2000; n++) console.log("ü".repeat(2000)); Array.from({ length: 60000 }, () => "ü")',
    )
    expect(result).toContain('ü')
    expect(logs?.[0]).toBe('ü'.repeat(1000))
    expect(logs?.at(-1)).toMatch(/^\[199\d more lines left out\]$/)
  })
})

describe('code that fails says where and what to do', () => {
  test.each([
    [
      'an error',
      'const a = 1\nconst b = null\nb.x.y',
      /^TypeError: .*'x' of null \(line 3\)\n.*script\.js:3.*\nCorrect the code/,
    ],
    [
      'an error in a function',
      'function f() {\n  throw new RangeError("far")\n}\nf()',
      /^RangeError: far \(line 2\)\n.*f \(script\.js:2:\d+\)\n.*script\.js:4/,
    ],
    ['a rejected promise', 'await Promise.reject(new Error("late"))', /^Error: late \(line 1\)/],
    ['an error without a message', 'throw new Error()', /^Error \(line 1\)/],
    ['a thrown object', 'throw { status: 404 }', /^Thrown: \{"status":404\}/],
    ['a thrown null', 'throw null', /^Thrown: null\nCorrect/],
    ['a thrown undefined', 'throw undefined', /^Thrown: undefined\nCorrect/],
    ['a syntax error', 'const a = 1\nconst b = = 2', /^SyntaxError: .*\(line 2\)\n.*\nCorrect the code.*not a module/],
    ['return at the top', 'return 1', /\(line 1\)\n.*\n.*as the last line, without return/],
    ['an import', 'import fs from "fs"', /^SyntaxError: .*import and export do not exist/s],
    [
      'an import that is dynamic',
      'await import("node:fs")',
      /^ReferenceError: could not load.*no require, import, fetch/s,
    ],
    ['a timer', 'setTimeout(() => 1, 10)', /^ReferenceError: 'setTimeout' is not defined.*process or timers/s],
    [
      'a const before its line',
      'a; const a = 1',
      /^ReferenceError: a is not initialized \(line 1\)\n.*\nCorrect the code and/,
    ],
    [
      'a promise that never settles',
      'await new Promise(() => {})',
      /^The code waits for a promise that nothing settles/,
    ],
  ])('%s', async (_what, code, message) => {
    await expect(run(code)).rejects.toMatchObject(failure('script_failed', message))
  })

  test('the end of the logs comes with it', async () => {
    await expect(run('console.log("row 1"); console.log("row 2"); oops()')).rejects.toMatchObject(
      failure('script_failed', /\nIt had logged: row 1\nrow 2$/),
    )
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
    expect(await run(code, { a: text })).toEqual({ result: [text.length, sum] })
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
