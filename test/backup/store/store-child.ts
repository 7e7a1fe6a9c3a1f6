/** Writes one file into a store, in a process that a test may kill. */
import { createFolderStore } from '../../../src/backup/store/folder-store.ts'
import { randomFile } from './random-file.ts'
import { azuriteStore } from './azurite-store.ts'

export interface ChildOrder {
  store: { dir: string } | { connectionString: string; container: string }
  name: string
  bytes: number
}

const { store, name, bytes } = JSON.parse(process.argv[2] ?? '') as ChildOrder
const opened = 'dir' in store ? createFolderStore(store.dir) : azuriteStore(store.connectionString, store.container)
process.send?.('ready')
const file = await opened.begin(name)
for (const chunk of randomFile(bytes)) await file.write(chunk)
await file.commit()
process.send?.('done')
process.disconnect()
