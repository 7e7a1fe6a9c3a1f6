import type { BackupContext } from '../src/backup/context.ts'
import { openStores } from '../src/backup/store/open-store.ts'
import type { Config, Secrets } from '../src/config/config.ts'
import { entraPassword } from '../src/db/entra-password.ts'
import type { Telemetry } from '../src/telemetry/events.ts'
import { version } from '../src/version.ts'
import { v7 as uuidv7 } from 'uuid'

/** What the timers and the admin routes of backups work with; nothing connects before it is used. */
export function createBackupContext(config: Config, secrets: Secrets, telemetry: Telemetry): BackupContext {
  return {
    databaseUrl: secrets.databaseDirectUrl ?? secrets.databaseUrl,
    connect: { password: config.database.auth === 'entra' ? entraPassword : undefined },
    ...openStores(config, secrets),
    keyUrl: config.backup.keyUrl,
    retentionDays: config.backup.retentionDays,
    missionDays: config.backup.missionDays,
    telemetry,
    newId: () => uuidv7(),
    version,
  }
}
