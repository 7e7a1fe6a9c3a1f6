import type { Around } from './around.ts'
import type { Crash, Said, WorkerSettings } from './settings.ts'

/** As a socket that the other side has closed gives it. */
function connectionLost(): Error {
  return Object.assign(new Error('Connection terminated unexpectedly'), { code: 'ECONNRESET' })
}

/** Nothing of this process runs any more when this returns, also no handler of an exit. */
function die(): void {
  process.kill(process.pid, 'SIGKILL')
}

/**
 * Counts the calls of each port, and strikes at the one that the settings name.
 * @param onFault called when the call has failed on purpose and the process lives on
 */
export function crashPoint(
  { crash, tellCalls }: WorkerSettings,
  say: (said: Said) => void,
  onFault: () => void,
): Around {
  const calls = new Map<string, number>()
  return async (port, call) => {
    const nth = (calls.get(port) ?? 0) + 1
    calls.set(port, nth)
    if (tellCalls) say({ said: 'call', port, nth })
    if (crash?.port !== port || crash.nth !== nth) return call()
    if (crash.mode === 'before') die()
    if (crash.mode === 'error-before') fail(crash, onFault)
    const result = await call()
    if (crash.mode === 'after') die()
    else fail(crash, onFault)
    return result
  }
}

function fail({ port, mode }: Crash, onFault: () => void): never {
  onFault()
  throw mode === 'answer-lost' ? connectionLost() : new Error(`${port} does not answer`)
}
