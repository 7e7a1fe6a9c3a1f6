import { describe, expect, test } from 'vitest'
import { createRunJavascript } from '../../src/tools/run-javascript.ts'
import { call, contextWith } from './context.ts'
import { inReusedThread } from './reused-thread.ts'

interface Answer {
  result: unknown
  note?: string
  logs?: string[]
}

const tool = createRunJavascript({ execute: inReusedThread })

async function run(code: string): Promise<Answer> {
  const text = await call(tool, { code }, contextWith())
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(tool.maxOutputBytes)
  return JSON.parse(text) as Answer
}

function failure(code: string, message: string | RegExp) {
  return { name: 'TerminalError', code, message: expect.stringMatching(message) as string }
}

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
