import type { Client } from 'pg'
import { withClient, type ConnectOptions } from '../../db/migrate/connect.ts'
import { clearDrain, hasDrains, readDrain, setDrain } from '../../db/queries/drain.ts'
import type { Clock } from '../../engine/ports.ts'
import { refuseLeases } from './refusals.ts'
import { liveLeases } from './target.ts'

/** Who drains, in the fact. */
const RESTORE = 'restore'

/**
 * A drain of ours is over after this long unless it is renewed: one that was killed stops nobody for ever. What it does
 * under its locks may take longer; nobody claims anything then either.
 */
const DRAIN_S = 120

/** From the commit on, until the migrations are done. */
export const MIGRATING_S = 600

const RENEW_MS = 20_000
const LOOK_MS = 250

/** The deployment drains, and no lease lives. */
export interface Stopped {
  /** The drain is somebody else's, who set it before and will clear it. */
  others: boolean
  /** As it was before. For after a failure, so on a connection of its own; what can't be cleared is over by itself. */
  undo(): Promise<void>
}

export interface StopOptions {
  url: string
  connect: ConnectOptions
  reason: string
  /** How long to wait until no lease lives, in milliseconds. */
  waitMs: number
  clock: Clock
  log: (line: string) => void
}

/**
 * Lets the deployment drain and waits until nobody works on a mission any more. A drain that somebody set before stays theirs.
 * @throws TerminalError `leases_live`; the drain is cleared again then
 */
export async function stopFirst(client: Client, options: StopOptions): Promise<Stopped> {
  const { url, connect, reason, clock } = options
  if (!(await hasDrains(client))) return { others: false, undo: async () => undefined }
  const drain = await readDrain(client)
  const others = drain !== undefined && drain.by !== RESTORE
  const undo = async () => {
    if (!others) await withClient(url, clearDrain, connect).catch(() => undefined)
  }
  const renew = async () => {
    if (!others) await setRestoreDrain(client, reason)
  }
  try {
    await renew()
    const begun = clock.monotonic()
    let renewed = begun
    for (let leases = await liveLeases(client); leases.length > 0; leases = await liveLeases(client)) {
      const now = clock.monotonic()
      if (now === begun) options.log('Waiting until nobody works on a mission any more.')
      if (now - begun >= options.waitMs) refuseLeases(leases, options.waitMs)
      if (now - renewed >= RENEW_MS) {
        await renew()
        renewed = now
      }
      await clock.sleep(LOOK_MS)
    }
    await renew()
  } catch (error) {
    await undo()
    throw error
  }
  return { others, undo }
}

/** Sets or renews the drain of a restore. */
export async function setRestoreDrain(client: Pick<Client, 'query'>, reason: string, seconds = DRAIN_S): Promise<void> {
  await setDrain(client, { by: RESTORE, reason, seconds })
}
