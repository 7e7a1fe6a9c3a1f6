import { isAlive, processInfo } from './process-info.ts'

/**
 * Calls `gone` once when the npm that started this process has ended, also by `kill -9`: npm runs a script through a shell,
 * which stays behind then and so hides the death from us. Does nothing where no npm started it. Gives a function that stops
 * the watch.
 */
export function whenNpmEnds(env: NodeJS.ProcessEnv, gone: () => void): () => void {
  if (env['npm_lifecycle_event'] === undefined || process.platform === 'win32') return () => undefined
  const parents = [process.ppid, processInfo(process.ppid)?.parent ?? 0].filter((pid) => pid > 1)
  const timer = setInterval(() => {
    if (process.ppid === parents[0] && parents.every(isAlive)) return
    clearInterval(timer)
    gone()
  }, 1_000)
  timer.unref()
  return () => clearInterval(timer)
}
