import { execFile } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { promisify } from 'node:util'
import type { Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import { createRunJavascript } from '../../src/tools/run-javascript.ts'
import { runScript, type ScriptLimits } from '../../src/tools/sandbox/run-script.ts'
import { call, contextWith } from './context.ts'
import { inReusedThread } from './reused-thread.ts'

const MINUTE = 60_000

/** Interrupted from within after 20 ms; the end by force would come after the test has failed. */
const INTERRUPTED: ScriptLimits = { deadlineMs: 20, hardStopMs: MINUTE }
/** Never interrupted from within, so that memory or the stack ends it, or force. */
const NOT_INTERRUPTED: ScriptLimits = { deadlineMs: MINUTE, hardStopMs: MINUTE }
const FORCED: ScriptLimits = { deadlineMs: MINUTE, hardStopMs: 400 }

async function run(code: string, limits?: ScriptLimits, execute = inReusedThread): Promise<unknown> {
  const text = await call(createRunJavascript({ limits, execute }), { code }, contextWith({ 'a.txt': 'a' }))
  return (JSON.parse(text) as { result: unknown }).result
}

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
      message: expect.stringContaining('ran for more than 0.02 s and was stopped') as string,
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
    await expect(run(code, FORCED, runScript)).rejects.toMatchObject({ code: 'script_timeout' })
  })

  test('a thread is gone once its script has ended, was stopped by force or was cancelled', async () => {
    const threads: Worker[] = []
    const note = (message: unknown) => void threads.push((message as { worker: Worker }).worker)
    subscribe('worker_threads', note)
    const { signal } = new AbortController()
    const endless = { code: 'for (;;) {}', files: {} }
    const cancel = new AbortController()
    try {
      expect(await runScript({ code: '1', files: {} }, signal, NOT_INTERRUPTED)).toMatchObject({ kind: 'done' })
      expect(await runScript(endless, signal, FORCED)).toMatchObject({ kind: 'timeout' })
      const cancelled = runScript(endless, cancel.signal, NOT_INTERRUPTED)
      cancel.abort(new Error('cancelled'))
      await expect(cancelled).rejects.toThrow('cancelled')
    } finally {
      unsubscribe('worker_threads', note)
    }
    // What Node says of a thread that has exited.
    expect(threads.map(({ threadId }) => threadId)).toEqual([-1, -1, -1])
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
    [
      'promises',
      'const f = (a) => { const b = Array(50).fill(a); return Promise.resolve().then(f).then(() => b) }; await f()',
    ],
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
      for (let n = 0; n < 3; n++) kinds.push((await run()).kind)
      console.log(JSON.stringify({ kinds: [...new Set(kinds)], grown: process.memoryUsage.rss() - before }))`
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])
    const { kinds, grown } = JSON.parse(stdout) as { kinds: string[]; grown: number }
    expect(kinds).toEqual(['out_of_memory'])
    // One that stayed would be 64 MiB and more; three bombs leave 5 MiB, give or take 10.
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
    await expect(run(code, NOT_INTERRUPTED, runScript)).rejects.toMatchObject({
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
