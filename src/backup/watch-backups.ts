import type { EngineDb } from '../db/connection.ts'
import { recordStoreWorry, upkeepAges } from '../db/queries/upkeep.ts'
import type { Telemetry } from '../telemetry/events.ts'
import { backupWorries, lookAtStore } from './standing.ts'
import type { BackupStore } from './store/store.ts'

const EVERY_MS = 3_600_000

export interface BackupWatchParts {
  db: EngineDb
  store: BackupStore
  telemetry: Pick<Telemetry, 'backupOverdue'>
  /** Milliseconds of a clock that only goes forward. */
  now: () => number
}

/**
 * Looks at the backups' store and raises an event an hour for what is wrong: a timer that stopped makes none, and nobody else would
 * tell. It runs with the sweep, which any awake instance does where that timer has stopped too.
 */
export function createBackupWatch({ db, store, telemetry, now }: BackupWatchParts): () => Promise<void> {
  let lookedAt = -Infinity
  return async () => {
    if (now() - lookedAt < EVERY_MS) return
    lookedAt = now()
    const ages = await upkeepAges(db)
    const found = await lookAtStore(store, ages)
    for (const why of backupWorries({ ...ages, storeWorry: found })) telemetry.backupOverdue({ why })
    await recordStoreWorry(db, found)
  }
}
