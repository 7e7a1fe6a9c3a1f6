/** One of the processes that share the seeds of a simulation: runs what it is given and says what came of it. */
import type { Case } from './run-history.ts'
import { simulate } from './simulate.ts'
import { surprise } from './surprises.ts'
import { memoryStore, postgresStore } from './stores.ts'

export interface Order {
  cases: Case[]
  /** Whether one that fails is made as small as it goes. */
  small: boolean
}

const urls = JSON.parse(process.argv[2] ?? 'null') as { appUrl: string; ownerUrl: string } | null
const store = urls === null ? memoryStore : await postgresStore(urls)

process.on(
  'message',
  ({ cases, small }: Order) => void simulate(store, cases, small).then((share) => process.send?.(share)),
)
// What the code under test throws where nobody catches it would end a worker, and every mission in it.
process.on('uncaughtException', (error) => surprise(error))
process.on('unhandledRejection', (error) => surprise(error))
process.on('disconnect', () => process.exit())
