/** The server's time as far as it is known here. */
export interface ServerClock {
  /** Takes in a time that the server told, in milliseconds since 1970. */
  told(at: number): void
  /** Milliseconds since 1970; before the server told any time, milliseconds of the local clock. */
  now(): number
}

/**
 * Tells the server's time from what it last said and the local clock since then, whatever the local time of day is. What
 * arrives was told earlier, so of all that was told the latest counts: for events that come as they happen this is off by
 * the network's delay, and behind a journal that is read from its beginning it begins at the journal's last event.
 * @param monotonic milliseconds of a local clock that is never set back
 */
export function createServerClock(monotonic: () => number): ServerClock {
  let offset: number | undefined
  return {
    told(at) {
      if (Number.isFinite(at)) offset = Math.max(offset ?? -Infinity, at - monotonic())
    },
    now: () => monotonic() + (offset ?? 0),
  }
}
