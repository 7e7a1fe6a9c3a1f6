import { MOST_GENERATIONS } from '../domain/branch.ts'
import { TerminalError } from '../domain/errors.ts'
import type { MissionEvent } from '../domain/event.ts'
import { fold } from '../domain/evolve.ts'
import type { MissionState } from '../domain/state.ts'
import type { Journal } from './ports.ts'

/**
 * A mission's state by its journal and, where that goes on from others, by the events that they share: these are read where
 * they are, one read for each mission.
 * @param own the mission's own journal where it was read already, from its first event on
 * @throws TerminalError `journal_gap` for a journal that is not there or has holes, `journal_unreadable` for a line of more
 * than 100 missions.
 */
export async function foldJournal(
  journal: Pick<Journal, 'read'>,
  missionId: string,
  own?: readonly MissionEvent[],
): Promise<MissionState> {
  const journals = [own ?? (await journal.read(missionId, 0))]
  for (let from = parentOf(journals[0]); from !== undefined; from = parentOf(journals.at(-1))) {
    if (journals.length > MOST_GENERATIONS) throw tooManyGenerations(missionId)
    const shared = await journal.read(from.id, 0, from.seq)
    if (shared.length < from.seq) throw notThere(missionId, from)
    journals.push(shared)
  }
  let state: MissionState | undefined
  for (const events of journals.toReversed()) state = fold(events, state)
  return state ?? fold([])
}

function parentOf(events: readonly MissionEvent[] | undefined): { id: string; seq: number } | undefined {
  const first = events?.[0]
  return first?.type === 'mission.created' ? first.data.forkedFrom : undefined
}

function notThere(missionId: string, { id, seq }: { id: string; seq: number }): TerminalError {
  return new TerminalError(
    'journal_gap',
    `Mission ${missionId} goes on from event ${seq} of ${id}, which is not there`,
    {
      hint: `Restore the journal of mission ${id}.`,
    },
  )
}

function tooManyGenerations(missionId: string): TerminalError {
  return new TerminalError(
    'journal_unreadable',
    `Mission ${missionId} goes on from more than ${MOST_GENERATIONS} others`,
  )
}
