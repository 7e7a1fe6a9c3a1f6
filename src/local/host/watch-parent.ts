import { Worker } from 'node:worker_threads'

// Runs in a thread of its own, because a handler that computes for long keeps the main thread from seeing `disconnect`.
const watchdog = `
const { workerData } = require('node:worker_threads')
let orphanSeconds = 0
setInterval(() => {
  orphanSeconds = process.ppid === workerData ? 0 : orphanSeconds + 1
  if (orphanSeconds >= 4) process.kill(process.pid, 'SIGKILL')
}, 1000)
`

/**
 * Ends this process by SIGKILL 4 to 5 s after its parent has gone, even while the main thread is busy. The gentler way, which runs
 * appTerminate hooks first, is the caller's `disconnect` listener.
 */
export function killWhenOrphaned(): void {
  new Worker(watchdog, { eval: true, workerData: process.ppid, env: {}, execArgv: [] }).unref()
}
