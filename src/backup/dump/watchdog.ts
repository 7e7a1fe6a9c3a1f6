import type { Client } from 'pg'
import { TerminalError } from '../../domain/errors.ts'

export interface DumpLimits {
  /** Nothing came from the database and nothing went to the store for so long. */
  stallMs: number
  /** The whole dump. */
  totalMs: number
  /** For the locks on the tables, which only changes of the schema hold up. */
  lockMs: number
}

/**
 * A row of 16 MB passes in a second; a scan of dead rows before the first living one may take a minute. Two hours are
 * 350 GB at the 49 MB/s that were measured.
 */
export const DUMP_LIMITS: DumpLimits = { stallMs: 120_000, totalMs: 7_200_000, lockMs: 10_000 }

/** Ends whatever waits, however dead the other side is. */
export interface Watchdog {
  /** What it waits for, or the watchdog's TerminalError. An answer counts as life. */
  watch<T>(waiting: Promise<T>): Promise<T>
  close(): void
}

/** Cuts the connection when a limit is reached or the caller gives up: a socket that nobody answers would keep the process. */
export function startWatchdog(client: Client, limits: DumpLimits, signal: AbortSignal | undefined): Watchdog {
  // Not one promise to race against: it would keep every chunk that ever won, for as long as the dump takes.
  const waiters = new Set<(reason: TerminalError) => void>()
  let ended: TerminalError | undefined
  const cut = (reason: TerminalError) => {
    ended ??= reason
    for (const giveUp of waiters) giveUp(ended)
    disconnect(client)
  }
  const stall = setTimeout(() => cut(stalled(limits.stallMs)), limits.stallMs)
  const total = setTimeout(() => cut(tookTooLong(limits.totalMs)), limits.totalMs)
  const stop = () => cut(stopped(signal))
  signal?.addEventListener('abort', stop, { once: true })
  if (signal?.aborted) stop()
  return {
    async watch(waiting) {
      // Given up for good: what is under way may still fail, and nobody listens.
      waiting.catch(() => undefined)
      if (ended !== undefined) throw ended
      const given = Promise.withResolvers<never>()
      waiters.add(given.reject)
      try {
        return await Promise.race([waiting, given.promise])
      } finally {
        waiters.delete(given.reject)
        stall.refresh()
      }
    },
    close() {
      clearTimeout(stall)
      clearTimeout(total)
      signal?.removeEventListener('abort', stop)
    },
  }
}

/** With a statement under way the socket is destroyed at once; nobody waits for the other side's answer. */
export function disconnect(client: Client): void {
  client.end().catch(() => undefined)
}

function stalled(ms: number): TerminalError {
  return new TerminalError(
    'backup_stalled',
    `For ${ms / 1000} s the backup got nothing from the database and could write nothing. It was given up, and nothing is left of it.`,
    { hint: 'Look at the network between here, the database and the store, then run it again: npm run backup -- now' },
  )
}

function tookTooLong(ms: number): TerminalError {
  return new TerminalError(
    'backup_too_slow',
    `The backup was not done after ${ms / 60_000} min and was given up; nothing is left of it.`,
    { hint: 'Look at the load of the database, then run it again: npm run backup -- now' },
  )
}

function stopped(signal: AbortSignal | undefined): TerminalError {
  const reason: unknown = signal?.reason
  if (reason instanceof TerminalError) return reason
  return new TerminalError('backup_stopped', 'The backup was stopped before it was done; nothing is left of it.', {
    cause: reason,
  })
}
