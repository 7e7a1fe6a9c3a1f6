import { v7 as uuidv7 } from 'uuid'
import type { BackupContext } from '../../src/backup/context.ts'
import { createTelemetry } from '../../src/telemetry/events.ts'
import { createLogger } from '../../src/telemetry/logger.ts'

export interface LogLine {
  event: string
  level: string
}

/** What the functions give backups, without encryption; each line of the log is added to `lines`. */
export function backupContext(
  given: Pick<BackupContext, 'databaseUrl' | 'main'> & Partial<BackupContext>,
  lines: LogLine[],
): BackupContext {
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as LogLine) }
  return {
    connect: {},
    offsite: undefined,
    keyUrl: undefined,
    retentionDays: 30,
    missionDays: undefined,
    telemetry: createTelemetry(createLogger({ level: 'info', secrets: [], destination })),
    newId: () => uuidv7(),
    version: '0.0.0-test',
    ...given,
  }
}
