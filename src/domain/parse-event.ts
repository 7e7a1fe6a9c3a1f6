import { eventDataSchemas, type EventType, type MissionEvent } from './event.ts'
import { TerminalError } from './errors.ts'
import { upcast } from './upcast.ts'

/** A journal row before it is checked; `at` in milliseconds since 1970. */
export interface JournalRow {
  seq: number
  v: number
  type: string
  data: unknown
  at: number
}

/**
 * Reads one journal row, whatever version wrote it.
 * @throws TerminalError `journal_unreadable` for a type, version or shape that this build can't read; the row stays as it is.
 */
export function parseEvent(row: JournalRow): MissionEvent {
  const { type, data } = upcast(row)
  if (!Object.hasOwn(eventDataSchemas, type)) throw unreadable(row, 'this build does not know the type')
  const parsed = eventDataSchemas[type as EventType].safeParse(data)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw unreadable(row, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'wrong shape'}`)
  }
  return { seq: row.seq, at: row.at, type, data: parsed.data } as MissionEvent
}

function unreadable(row: JournalRow, reason: string): TerminalError {
  return new TerminalError('journal_unreadable', `Event ${row.seq} (${row.type}, v${row.v}) can't be read: ${reason}`, {
    hint: 'The journal was written by a newer build. Deploy that build again; nothing was lost.',
  })
}
