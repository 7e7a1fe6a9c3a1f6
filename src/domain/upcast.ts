import { EVENT_VERSION } from './event.ts'
import { TerminalError } from './errors.ts'

/** Turns the data of an event of one version into the next version's; pure. Members that it doesn't know stay. */
export type Upcaster = (data: unknown) => unknown

/** By type, then by the version that is turned into the next one. What has no entry is the same in both versions. */
export type Upcasters = Readonly<Record<string, Readonly<Record<number, Upcaster>>>>

interface Versioned {
  seq: number
  v: number
  type: string
  data: unknown
}

/** Version 1 is the first: there is nothing to turn yet. Once released, an entry stays for good, as journals do. */
const UPCASTERS: Upcasters = {}

/** What to do about a journal of the future. */
export const NEWER_BUILD = 'The journal was written by a newer build. Deploy that build again; nothing was lost.'

/**
 * Turns an event of an older version into today's form, one version after the other; pure.
 * @param to the version to end at
 * @throws TerminalError `journal_unreadable` for a version from the future, or where an upcaster can't turn the data.
 */
export function upcast(row: Versioned, table: Upcasters = UPCASTERS, to: number = EVENT_VERSION): unknown {
  if (row.v > to) {
    throw new TerminalError(
      'journal_unreadable',
      `Event ${row.seq} has version ${row.v}; this build reads up to ${to}`,
      {
        hint: NEWER_BUILD,
      },
    )
  }
  let { data } = row
  for (let version = row.v; version < to; version++) data = stepUp(row, version, table[row.type]?.[version], data)
  return data
}

function stepUp(row: Versioned, version: number, upcaster: Upcaster | undefined, data: unknown): unknown {
  if (upcaster === undefined) return data
  try {
    return upcaster(data)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new TerminalError(
      'journal_unreadable',
      `Event ${row.seq} (${row.type}, v${row.v}) can't be turned from version ${version} into ${version + 1}: ${reason}`,
      {
        hint: 'Mend that upcaster in src/domain/upcast.ts, or deploy a build that reads the event; nothing was lost.',
        cause,
      },
    )
  }
}
