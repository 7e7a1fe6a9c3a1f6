import { fold } from '../domain/evolve.ts'
import { parseEvent, type JournalRow } from '../domain/parse-event.ts'
import type { MissionState } from '../domain/state.ts'

/**
 * A mission's state by rows that were read already.
 * @param line the mission's journal, then those that it goes on from, the nearest first, each up to the event that both share
 * @throws TerminalError `journal_unreadable` or `journal_gap`
 */
export function foldLine(line: readonly (readonly JournalRow[])[]): MissionState {
  let state: MissionState | undefined
  for (const rows of line.toReversed()) state = fold(rows.map(parseEvent), state)
  return state ?? fold([])
}
