import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { createRunJavascript } from '../../src/tools/run-javascript.ts'
import type { ScriptLimits } from '../../src/tools/sandbox/run-script.ts'
import { call, contextWith } from './context.ts'

const MINUTE = 60_000

/** Interrupted from within after 0.1 s; the end by force would come after the test has failed. */
const INTERRUPTED: ScriptLimits = { deadlineMs: 100, hardStopMs: MINUTE }
/** Never interrupted from within, so that memory or the stack ends it, or force. */
const NOT_INTERRUPTED: ScriptLimits = { deadlineMs: MINUTE, hardStopMs: MINUTE }
const FORCED: ScriptLimits = { deadlineMs: MINUTE, hardStopMs: 1000 }

async function run(code: string, limits?: ScriptLimits): Promise<unknown> {
  const text = await call(createRunJavascript({ limits }), { code }, contextWith({ 'a.txt': 'a' }))
  return (JSON.parse(text) as { result: unknown }).result
}

const before = Object.getOwnPropertyNames(Object.prototype)

describe('time', () => {
  test.each([
    ['a loop', 'for (;;) {}'],
    ['a loop that catches everything', 'for (;;) { try { for (;;) {} } catch {} finally { continue } }'],
    ['a regular expression', '/(a+)+$/.test("a".repeat(40) + "b")'],
    ['a regular expression over a long text', '/(.*)*x/.test("a".repeat(30000))'],
    ['steps of promises', 'const f = () => { Promise.resolve().then(f) }; f(); await new Promise(() => {})'],
    ['awaiting', 'for (;;) await null'],
    ['awaiting that catches everything', 'for (;;) { try { await (async () => { for (;;) {} })() } catch {} }'],
    ['a thenable that resolves to itself', 'await { then(resolve) { resolve(this) } }'],
    ['a comparison', '[3, 2, 1].sort(() => { for (;;) {} })'],
    ['a replacer', '"a".replace(/a/g, () => { for (;;) {} })'],
    ['a getter of the result', '({ get a() { for (;;) {} } })'],
    ['toJSON of the result', '({ toJSON() { for (;;) {} } })'],
    ['a proxy as the result', 'new Proxy({}, { ownKeys() { for (;;) {} } })'],
    ['a result without an end', 'Map.prototype[Symbol.iterator] = function* () { for (;;) yield 0 }; new Map()'],
    ['the message of an error', 'throw Object.defineProperty(new Error(), "message", { get() { for (;;) {} } })'],
    ['the stack of an error', 'throw Object.defineProperty(new Error(), "stack", { get() { for (;;) {} } })'],
    ['the name of an error as text', 'throw { message: "m", name: { toString() { for (;;) {} } } }'],
    ['logging', 'for (let n = 0; ; n++) console.log("line", n)'],
    ['a value that is logged', 'console.log({ toJSON() { for (;;) {} } })'],
    ['nested eval', 'eval("eval(\'for (;;) {}\')")'],
    ['a generator', '[...(function* () { for (;;) yield* [] })()]'],
  ])('%s is interrupted', async (_what, code) => {
    await expect(run(code, INTERRUPTED)).rejects.toMatchObject({
      name: 'TerminalError',
      code: 'script_timeout',
      message: expect.stringContaining('ran for more than 0.1 s and was stopped') as string,
    })
  })

  test.each([
    ['a search in nothing', 'Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)'],
    ['a turn of nothing', 'Array.prototype.reverse.call({ length: 2 ** 53 - 1 })'],
    // Looking for a cycle, QuickJS compares each level with all those above.
    ['a result of very many levels', 'let a = 1; for (let n = 0; n < 150000; n++) a = [a]; a'],
    // Each of its errors writes down 12,000 calls, and QuickJS looks at the clock only every 10,000 calls.
    ['errors at the depth of the stack', 'const g = () => { try { g() } finally { g() } }; g()'],
  ])('%s is nothing that is interrupted, and ends by force', async (_what, code) => {
    await expect(run(code, FORCED)).rejects.toMatchObject({ code: 'script_timeout' })
  })
})

describe('memory', () => {
  test.each([
    ['an array', 'const a = []; for (;;) a.push(new Array(1000).fill(1))'],
    ['objects in objects', 'let o = {}; for (;;) o = { o }'],
    ['objects in objects, let go by then', '(() => { let o = {}; for (;;) o = { o } })()'],
    ['text that doubles', 'let s = "x"; for (;;) s += s'],
    ['text at once', '"x".repeat(2 ** 29)'],
    ['buffers', 'const b = []; for (;;) b.push(new ArrayBuffer(1e6))'],
    ['a typed array at once', 'new Uint8Array(2 ** 30).fill(1)'],
    ['a long array', 'new Array(2 ** 32 - 1).fill(1)'],
    ['symbols', 'const s = []; for (;;) s.push(Symbol())'],
    ['global names', 'for (let n = 0; ; n++) globalThis["n" + n] = n'],
    ['promises', 'const f = () => Promise.resolve().then(f); f(); await new Promise(() => {})'],
    ['a getter of the result', '({ get a() { const b = []; for (;;) b.push(new ArrayBuffer(1e6)) } })'],
    ['a huge toJSON', '({ toJSON: () => "x".repeat(5e7) })'],
    ['a huge value that is logged', 'console.log("x".repeat(2 ** 29))'],
  ])('%s ends it', async (_what, code) => {
    await expect(run(code, NOT_INTERRUPTED)).rejects.toMatchObject({
      name: 'TerminalError',
      code: 'script_out_of_memory',
      message: expect.stringMatching(/more than its 64 MiB.*line by line/) as string,
    })
  })

  test('a script has its 64 MiB, and no more', async () => {
    expect(await run('new Uint8Array(50 * 1024 * 1024).fill(1).length')).toBe(52_428_800)
    await expect(run('new Uint8Array(65 * 1024 * 1024).length')).rejects.toMatchObject({ code: 'script_out_of_memory' })
  })

  test('a buffer over what a buffer may have is an error of the code', async () => {
    await expect(run('new ArrayBuffer(2 ** 31)')).rejects.toMatchObject({ code: 'script_failed' })
  })

  test('code may catch that there is no memory, and go on', async () => {
    expect(await run('let r; try { "x".repeat(2 ** 29) } catch (e) { r = e.message }; r')).toBe('out of memory')
  })

  test('the process gives all of it back', async () => {
    const script = `
      import { runScript } from './src/tools/sandbox/run-script.ts'
      const limits = { deadlineMs: 60_000, hardStopMs: 60_000 }
      const bomb = { code: 'const b = []; for (;;) b.push(new Uint8Array(1e6).fill(7))', files: {} }
      const run = () => runScript(bomb, new AbortController().signal, limits)
      const kinds = [(await run()).kind]
      const before = process.memoryUsage.rss()
      for (let n = 0; n < 8; n++) kinds.push((await run()).kind)
      console.log(JSON.stringify({ kinds: [...new Set(kinds)], grown: process.memoryUsage.rss() - before }))`
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])
    const { kinds, grown } = JSON.parse(stdout) as { kinds: string[]; grown: number }
    expect(kinds).toEqual(['out_of_memory'])
    // One that stayed would be 64 MiB and more; eight bombs leave 5 MiB, give or take 10.
    expect(grown).toBeLessThan(60 * 1024 * 1024)
  })
})

describe('depth', () => {
  test.each([
    ['a function', 'function f() { f() }\nf()'],
    ['a proxy', 'new Proxy({}, { get: (t, k, proxy) => proxy[k] }).x'],
    ['toString', 'const a = { toString: () => "" + a }; "" + a'],
    ["QuickJS's own parser", 'eval("[".repeat(100000))'],
    ['JSON.parse', 'JSON.parse("[".repeat(1000000))'],
    ['constructors', 'class A { constructor() { new A() } }; new A()'],
  ])('%s that is too deep is an error of the code', async (_what, code) => {
    await expect(run(code, NOT_INTERRUPTED)).rejects.toMatchObject({
      code: 'script_failed',
      message: expect.stringContaining('stack overflow') as string,
    })
  })

  test('a result of 10,000 levels is given back', async () => {
    const code = 'let a = 1; for (let n = 0; n < 10000; n++) a = [a]; a'
    expect(await call(createRunJavascript(), { code }, contextWith())).toBe(
      `{"result":${'['.repeat(10_000)}1${']'.repeat(10_000)}}`,
    )
  })
})

const OUTSIDE =
  '[typeof process, typeof require, typeof module, typeof fetch, typeof WebAssembly, typeof setTimeout].join()'
const NOTHING = Array(6).fill('undefined').join()

describe('ways out', () => {
  test.each([
    ['the code itself', OUTSIDE],
    ['the constructor of a constructor', `this.constructor.constructor('return ${OUTSIDE}')()`],
    ['Function', `Function('return ${OUTSIDE}')()`],
    ['eval', `eval('${OUTSIDE}')`],
    ['indirect eval', `(0, eval)('${OUTSIDE}')`],
    ['an async function', `await (async () => {}).constructor('return ${OUTSIDE}')()`],
    ['a generator', `(function* () {}).constructor('return ${OUTSIDE}')().next().value`],
    ['console.log', `console.log.constructor('return ${OUTSIDE}')()`],
    ['files', `files.constructor.constructor('return ${OUTSIDE}')()`],
    ['an error', `try { null.x } catch (e) { e.constructor.constructor('return ${OUTSIDE}')() }`],
    ['a promise', `import('x').constructor.constructor('return ${OUTSIDE}')()`],
    ['toJSON', `({ toJSON() { return this.constructor.constructor('return ${OUTSIDE}')() } })`],
    ['Reflect', `Reflect.construct(Function, ['return ${OUTSIDE}'])()`],
  ])('%s sees nothing of the outside', async (_what, code) => {
    expect(await run(code)).toBe(NOTHING)
  })

  test('beyond the language there is console, files and a kind of error', async () => {
    const names = (await run('Object.getOwnPropertyNames(globalThis)')) as string[]
    const standard = runInNewContext('Object.getOwnPropertyNames(globalThis)') as string[]
    expect(names.filter((name) => !standard.includes(name)).sort()).toEqual(['InternalError', 'files'])
    expect(names).toContain('console')
    expect(await run('[typeof SharedArrayBuffer, typeof Atomics, typeof Worker]')).toEqual(Array(3).fill('undefined'))
  })

  test.each(['node:fs', 'fs', './evaluate.ts', 'file:///etc/passwd', 'data:text/javascript,1'])(
    'import(%j) finds nothing',
    async (name) => {
      await expect(run(`await import(${JSON.stringify(name)})`)).rejects.toMatchObject({
        code: 'script_failed',
        message: expect.stringContaining('could not load module') as string,
      })
    },
  )

  test.each(['arguments.callee.caller', '(function f() { return f.caller })()'])(
    'nothing of what calls the code can be had with %s',
    async (code) => {
      const answer = await run(`({ toJSON() { try { return typeof (${code}) } catch (e) { return e.name } } })`)
      expect(['undefined', 'TypeError']).toContain(answer)
    },
  )
})

describe('what the code does to built-ins is its own loss', () => {
  test.each([
    ['JSON.stringify', 'JSON.stringify = () => "{"; ({ a: 1 })', { a: 1 }],
    ['String.prototype', 'String.prototype.slice = null; String.prototype.charCodeAt = null; ({ a: 1 })', { a: 1 }],
    ['Promise', 'Promise.prototype.then = null; Promise = null; ({ a: 1 })', { a: 1 }],
    ['console', 'console = null; ({ a: 1 })', { a: 1 }],
    ['Object.prototype.toJSON', 'Object.prototype.toJSON = () => "mine"; ({ a: 1 })', 'mine'],
    ['a key of every object', 'Object.prototype.kind = "timeout"; Object.prototype.note = 1; 5', 5],
    ['a setter of every object', 'Object.defineProperty(Object.prototype, "result", { set() {} }); 5', 5],
    [
      'Array.prototype',
      'Array.prototype.push = Array.prototype.join = null; delete Array.prototype[Symbol.iterator]; 5',
      5,
    ],
  ])('%s', async (_what, code, result) => {
    expect(await run(code)).toEqual(result)
  })

  test.each([
    ['a proxy that throws at everything', 'throw new Proxy({}, new Proxy({}, { get() { throw 1 } }))'],
    ['a name that is none', 'throw { message: Symbol("m"), name: Object.create(null) }'],
    ['a message that throws', 'throw Object.defineProperty(new Error(), "message", { get() { throw 1 } })'],
    ['a stack of a million lines', 'const e = new Error("m"); e.stack = "at script.js:1\\n".repeat(1e6); throw e'],
    ['a message of a million letters', 'throw new Error("m".repeat(1e6))'],
    ['a result whose keys throw', 'new Proxy({}, { ownKeys() { throw new Error("keys") } })'],
    ['a result whose toJSON throws', '({ toJSON() { throw null } })'],
    ['a result that is revoked', 'const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); [proxy]'],
    ['an interruption that is made up', 'throw new InternalError("interrupted")'],
  ])('%s is an error of bounded length', async (_what, code) => {
    const error = await run(code).catch((thrown: unknown) => thrown as Error)
    expect(error).toMatchObject({ name: 'TerminalError', code: 'script_failed' })
    expect((error as Error).message.length).toBeLessThan(2500)
  })
})

test('nothing of all that was left in this process', () => {
  expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before)
})
