import { EVENT_VERSION } from './event.ts'
import { TerminalError } from './errors.ts'

/**
 * Turns an event of an older version into today's form. Version 1 is the first: there is nothing to turn yet.
 * @throws TerminalError `journal_unreadable` for a version from the future.
 */
export function upcast(row: { seq: number; v: number; type: string; data: unknown }): { type: string; data: unknown } {
  if (row.v > EVENT_VERSION) {
    throw new TerminalError(
      'journal_unreadable',
      `Event ${row.seq} has version ${row.v}; this build reads up to ${EVENT_VERSION}`,
    )
  }
  return { type: row.type, data: row.data }
}
