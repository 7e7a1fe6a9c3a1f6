/** A run of retention in a process of its own, for tests that kill it: says `begun` and, at its end, `done`. */
import { retain } from '../../src/backup/retention/retain.ts'
import { createDatabases } from '../../src/db/connection.ts'

const url = process.argv[2] ?? ''
const { engine } = createDatabases({ url, pooler: undefined, onError: () => undefined })
await engine.query('select 1')
process.send?.('begun')
await retain({ db: engine, missionDays: 30, batch: 7, mostMs: 60_000 })
process.send?.('done')
process.disconnect()
await engine.end()
