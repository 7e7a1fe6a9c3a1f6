import { eventDataSchemas, type EventType, type MissionEvent } from './event.ts'
import { TerminalError } from './errors.ts'
import { NEWER_BUILD, upcast } from './upcast.ts'

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
  const { seq, at, type } = row
  if (!Object.hasOwn(eventDataSchemas, type)) throw unreadable(row, 'this build does not know the type', NEWER_BUILD)
  const parsed = eventDataSchemas[type as EventType].safeParse(upcast(row))
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw unreadable(row, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'wrong shape'}`, OTHER_SHAPE)
  }
  return { seq, at, type, data: parsed.data } as MissionEvent
}

const OTHER_SHAPE = 'Another build wrote it in another form. Deploy a build that reads it; nothing was lost.'

function unreadable({ seq, type, v }: JournalRow, reason: string, hint: string): TerminalError {
  return new TerminalError('journal_unreadable', `Event ${seq} (${type}, v${v}) can't be read: ${reason}`, { hint })
}
