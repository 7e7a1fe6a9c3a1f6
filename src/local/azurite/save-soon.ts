/**
 * Loaded into Azurite's process before Azurite. Azurite keeps queues and blob names in memory and saves them every 5 s,
 * four files in no order, so a `kill -9` loses 5 s of messages; worse, a message whose extent is not in the extent file
 * makes every later read of its queue fail. Here the files are saved 100 ms after a change, extents before what refers
 * to them.
 */
import { renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'

type Loki = {
  filename: string
  autosave: boolean
  autosaveHandle: NodeJS.Timeout | null
  autosaveDirty(): boolean
  saveDatabase(): void
}
type LokiAdapter = { saveDatabase(file: string, text: string, done: (error?: Error) => void): void }
type LokiModule = { prototype: { autosaveEnable(this: Loki): void }; LokiFsAdapter: { prototype: LokiAdapter } }

const SAVE_EVERY_MS = 100
/** Saving writes everything anew; it may take this share of the process's time. */
const SAVING_SHARE = 0.1

const fromAzurite = createRequire(createRequire(import.meta.url).resolve('azurite/package.json'))
const loki = fromAzurite('lokijs') as LokiModule
const databases: Loki[] = []

loki.LokiFsAdapter.prototype.saveDatabase = (file, text, done) => {
  try {
    // Not async: the order of the renames must be the order of the calls.
    writeFileSync(`${file}~`, text)
    renameSync(`${file}~`, file)
    done()
  } catch (error) {
    done(error as Error)
  }
}

loki.prototype.autosaveEnable = function () {
  this.autosave = true
  if (!databases.includes(this)) databases.push(this)
  databases.sort((a, b) => Number(holdsExtents(b)) - Number(holdsExtents(a)))
}

function holdsExtents({ filename }: Loki): boolean {
  return filename.endsWith('_extent__.json')
}

function saveAll() {
  const began = performance.now()
  for (const database of databases) if (database.autosaveDirty()) database.saveDatabase()
  const took = performance.now() - began
  setTimeout(saveAll, Math.max(SAVE_EVERY_MS, took / SAVING_SHARE)).unref()
}

saveAll()
