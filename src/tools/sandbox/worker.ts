import { parentPort, workerData } from 'node:worker_threads'
import { evaluate } from './evaluate.ts'
import type { Script } from './script.ts'

// The thread of one script, started and ended by run-script.ts, where a rejection that nobody handles arrives as the
// thread's error. The build makes this a file of its own, sandbox-worker.cjs.
void evaluate(JSON.parse(workerData as string) as Script).then((outcome) =>
  parentPort?.postMessage(JSON.stringify(outcome), []),
)
