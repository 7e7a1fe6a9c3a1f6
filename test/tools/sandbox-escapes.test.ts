import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { createRunJavascript } from '../../src/tools/run-javascript.ts'
import { call, contextWith } from './context.ts'
import { inReusedThread } from './reused-thread.ts'

const tool = createRunJavascript({ execute: inReusedThread })

async function run(code: string): Promise<unknown> {
  return (JSON.parse(await call(tool, { code }, contextWith({ 'a.txt': 'a' }))) as { result: unknown }).result
}

const before = Object.getOwnPropertyNames(Object.prototype)

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
    // Node 22 does not have it yet.
    const standard = ['Float16Array', ...(runInNewContext('Object.getOwnPropertyNames(globalThis)') as string[])]
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
