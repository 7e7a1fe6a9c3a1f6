import { fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Order } from './process.ts'
import type { Case } from './run-history.ts'
import type { Share } from './simulate.ts'

const SCRIPT = fileURLToPath(new URL('./process.ts', import.meta.url))
/** Few enough for progress to be seen, and for the last ones not to be waited for by all the others. */
const AT_ONCE = 25
/** Of one history, which takes 20 ms in memory and 3 s on SQL: what takes this long goes round in a circle. */
const WITHIN_MS = 180_000

type Urls = { appUrl: string; ownerUrl: string }

/**
 * Shares the cases out to as many processes as there are cores.
 * @param how `urls`: of each process's own database, empty for in memory; `first`: no more after one that failed, which is
 * left as it is
 * @throws where a process died
 */
export async function runMany(
  cases: readonly Case[],
  { urls, first }: { urls: readonly Urls[]; first: boolean },
  onShare: (share: Share) => void,
): Promise<void> {
  const left = [...cases]
  const processes = urls.length > 0 ? [...urls] : Array.from({ length: availableParallelism() }, () => null)
  const take = () => ({ cases: left.splice(0, first ? 1 : AT_ONCE), small: !first })
  const took = (share: Share) => {
    onShare(share)
    if (first && share.failures.length > 0) left.length = 0
  }
  await Promise.all(processes.map((own) => work(own, take, took)))
}

async function work(urls: Urls | null, next: () => Order, onShare: (share: Share) => void): Promise<void> {
  const child = fork(SCRIPT, [JSON.stringify(urls)], { execArgv: ['--disable-warning=ExperimentalWarning'] })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let order: Order = { cases: [], small: false }
  let late: NodeJS.Timeout | undefined
  const give = () => {
    clearTimeout(late)
    order = next()
    if (order.cases.length > 0) {
      child.send(order)
      late = setTimeout(() => child.kill('SIGKILL'), WITHIN_MS * order.cases.length)
      return
    }
    child.off('exit', died)
    child.disconnect()
    resolve()
  }
  const died = (code: number | null, signal: string | null) => {
    clearTimeout(late)
    const [first, last] = [order.cases[0]?.seed, order.cases.at(-1)?.seed]
    const again = `npm run test:sim -- --first --seed ${first} --histories ${order.cases.length}`
    reject(
      new Error(`A process of the simulation ended with ${signal ?? code} in the seeds ${first} to ${last}: ${again}`),
    )
  }
  child.on('exit', died)
  child.on('message', (share: Share) => {
    onShare(share)
    give()
  })
  give()
  return promise
}
