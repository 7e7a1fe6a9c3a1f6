import type { ConnectOptions } from '../db/migrate/connect.ts'
import type { Telemetry } from '../telemetry/events.ts'
import type { KeyVaultOptions } from './codec/data-key.ts'
import type { BackupStore } from './store/store.ts'

/** What backups, drills and their retention need; nothing in it connects before it is used. */
export interface BackupContext {
  /** Past the pooler, and how to sign in there. */
  databaseUrl: string
  connect: ConnectOptions
  main: BackupStore
  offsite: BackupStore | undefined
  /** The key of Key Vault that encrypts; undefined: backups are stored as they are. */
  keyUrl: string | undefined
  /** How to reach Key Vault where it is not by the deployment's identity. */
  keyVault?: KeyVaultOptions
  retentionDays: number
  /** Days that ended missions are kept for where a tenant has none of its own; undefined: for ever. */
  missionDays: number | undefined
  telemetry: Telemetry
  newId: () => string
  version: string
}
