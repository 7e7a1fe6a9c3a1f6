import type { EngineDb } from '../db/connection.ts'
import { upkeepAges } from '../db/queries/upkeep.ts'
import type { Telemetry } from '../telemetry/events.ts'
import { backupWorries } from './standing.ts'

const EVERY_MS = 3_600_000

/**
 * Raises an event an hour for what is wrong with the backups: a timer that stopped makes none, and nobody else would tell. It runs
 * with the sweep, which any awake instance does where that timer has stopped too.
 */
export function createBackupWatch(db: EngineDb, telemetry: Telemetry, now: () => number): () => Promise<void> {
  let lookedAt = -Infinity
  return async () => {
    if (now() - lookedAt < EVERY_MS) return
    lookedAt = now()
    for (const why of backupWorries(await upkeepAges(db))) telemetry.backupOverdue({ why })
  }
}
