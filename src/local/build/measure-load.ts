import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** Milliseconds that a new process takes to load the bundle, median of 5; outside a host the library only warns. */
export async function measureLoad(entry: string): Promise<number> {
  const code = `const t = performance.now(); require(${JSON.stringify(entry)}); console.log(performance.now() - t); process.exit(0)`
  const times: number[] = []
  for (let i = 0; i < 5; i++) {
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', code])
    times.push(Number(stdout.trim().split('\n').at(-1)))
  }
  return times.sort((a, b) => a - b)[2] ?? Number.NaN
}
