import { join, resolve } from 'node:path'
import { createBackupContext } from '../../functions/backup-context.ts'
import type { BackupContext } from '../../src/backup/context.ts'
import type { BackupStore } from '../../src/backup/store/store.ts'
import type { StorageConfig } from '../../src/config/config.ts'
import { TerminalError } from '../../src/domain/errors.ts'
import { createTelemetry } from '../../src/telemetry/events.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import { readSettings } from '../doctor/read-settings.ts'
import { readSurroundings } from '../doctor/surroundings.ts'
import type { Context } from './context.ts'

export interface OpenOptions {
  data: string
  /** Commands that only look at the store need no database. */
  database?: boolean
  /** The store offsite takes the main one's place. */
  offsite?: boolean
}

export interface Opened extends BackupContext {
  /** The account of the deployment; undefined where none is configured, nor a local environment runs. */
  storage: StorageConfig | undefined
  storageConnectionString: string | undefined
  /** Where backups are files of this machine. */
  folder: string | undefined
}

/**
 * The database and the stores that a command works with: those of the environment or local.settings.json, else those of the
 * local environment that runs, whose backups lie in a folder. Throws TerminalError `database_unknown`, `settings_wrong`, `no_offsite`.
 */
export function open({ data, database = true, offsite = false }: OpenOptions, { env, cwd, terminal }: Context): Opened {
  const dataDir = resolve(cwd, data)
  const surroundings = readSurroundings({ env, cwd, dataDir })
  const values = new Map(surroundings.values)
  const storage = ['JOBS_STORAGE', 'JOBS_STORAGE__queueServiceUri'].map((name) => values.get(name))
  // Backups of a local environment are in its folder, whether it runs or not, so that they outlive Azurite's data.
  const isElsewhere = storage.some((one) => one !== undefined && one.source !== 'npm start')
  if (!isElsewhere && !values.has('BACKUP_FOLDER'))
    values.set('BACKUP_FOLDER', { value: join(dataDir, 'backups'), source: 'npm start' })
  const bare = !['DATABASE_URL', 'DATABASE_DIRECT_URL'].some((name) => values.has(name))
  if (database && bare) throw noDatabase()
  const { config, secrets, findings } = readSettings({ ...surroundings, values, bare })
  const wrong = findings.filter(
    ({ status, name }) => status === 'fail' && /^(DATABASE|JOBS_STORAGE|BACKUP|MISSION_RETENTION)_/.test(name),
  )
  if (wrong.length > 0) throw settingsWrong(wrong.map(({ name, detail }) => `${name} ${detail}`))
  const known = Object.values(secrets).filter((secret) => secret !== undefined) as string[]
  const destination = { write: (line: string) => terminal.note(`event: ${line.trimEnd()}`) }
  // What went wrong beside the command's own answer; the answer itself is printed.
  const telemetry = createTelemetry(createLogger({ level: 'error', secrets: known, destination }))
  const context = createBackupContext(config, secrets, telemetry)
  return {
    ...(offsite ? { ...context, main: required(context.offsite), offsite: undefined } : context),
    storage: storage.some((one) => one !== undefined) ? config.storage : undefined,
    storageConnectionString: secrets.storageConnectionString,
    folder: config.backup.folder,
  }
}

function required(offsite: BackupStore | undefined): BackupStore {
  if (offsite !== undefined) return offsite
  throw new TerminalError('no_offsite', 'No store offsite is configured.', {
    hint: 'Set BACKUP_OFFSITE_URL to the container that backups are copied to.',
  })
}

function noDatabase(): TerminalError {
  return new TerminalError('database_unknown', 'No database is named.', {
    hint: 'Set DATABASE_URL, or start the local environment with npm start and name its data folder with --data.',
  })
}

function settingsWrong(problems: string[]): TerminalError {
  return new TerminalError('settings_wrong', `These settings are wrong: ${problems.join('; ')}.`)
}
