import { whenNpmEnds } from './npm-parents.ts'

export interface StopSignal {
  stopped: Promise<void>
  isStopped(): boolean
}

/**
 * The first SIGINT or SIGTERM of this process, also while things are still starting, or the end of the npm that runs it.
 * npm passes Ctrl-C on, so a key press may come twice.
 */
export function stopSignal(): StopSignal {
  const { promise, resolve } = Promise.withResolvers<void>()
  let seen = false
  const stop = () => {
    seen = true
    resolve()
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  whenNpmEnds(process.env, stop)
  return { stopped: promise, isStopped: () => seen }
}
