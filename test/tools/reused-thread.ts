import { Worker } from 'node:worker_threads'
import { parseOutcome, THREAD_LIMITS, type runScript } from '../../src/tools/sandbox/run-script.ts'

let thread: Worker | undefined

/**
 * Runs scripts, one at a time, in one thread, each in a QuickJS of its own: 10 ms in place of the 190 ms that a thread of
 * its own takes from source. For what code sees and says; what the thread is there for (force, the stack, nothing left) is
 * tested with threads as they are. Neither force nor a signal ends a script here: its test fails by its time limit.
 */
export const inReusedThread: typeof runScript = async (script, _signal, { deadlineMs }) => {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>()
  thread ??= startThread()
  thread.removeAllListeners().once('message', resolve).once('error', reject)
  thread.postMessage(JSON.stringify({ ...script, deadlineMs }), [])
  try {
    return parseOutcome(await promise)
  } catch (error) {
    thread = undefined
    throw error
  }
}

function startThread(): Worker {
  const source = new URL('../../src/tools/sandbox/evaluate.ts', import.meta.url).href
  const code = `
    const { parentPort } = require('node:worker_threads')
    parentPort.on('message', async (script) => {
      const { evaluate } = await import(${JSON.stringify(source)})
      parentPort.postMessage(JSON.stringify(await evaluate(JSON.parse(script))))
    })`
  return new Worker(code, { eval: true, env: {}, execArgv: [], resourceLimits: THREAD_LIMITS })
}
