/** A prune in a process of its own, which kills itself before or after one of its removals. */
import { pruneBackups } from '../../src/backup/retention/prune.ts'
import { createFolderStore } from '../../src/backup/store/folder-store.ts'
import { azuriteStore } from '../backup/store/azurite-store.ts'

export interface PruneOrder {
  store: { dir: string } | { connectionString: string; container: string }
  justVerified: string
  /** Dies at this removal, counted from 0, before or after it was done. */
  dieAt: number
  after: boolean
}

const { store: where, justVerified, dieAt, after } = JSON.parse(process.argv[2] ?? '') as PruneOrder
const store = 'dir' in where ? createFolderStore(where.dir) : azuriteStore(where.connectionString, where.container)
const { remove } = store
let calls = 0
store.remove = async (name) => {
  const last = calls++ === dieAt
  if (last && !after) process.kill(process.pid, 'SIGKILL')
  const result = await remove(name)
  if (last) process.kill(process.pid, 'SIGKILL')
  return result
}
await pruneBackups({ store, retentionDays: 0, justVerified })
process.disconnect()
