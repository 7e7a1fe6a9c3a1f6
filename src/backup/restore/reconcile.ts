import { randomUUID } from 'node:crypto'
import type { Client } from 'pg'
import { prepareRoles } from '../../db/migrate/bootstrap.ts'
import { withClient } from '../../db/migrate/connect.ts'
import { inLockedTransaction } from '../../db/migrate/lock.ts'
import { openSession } from '../../db/migrate/up.ts'
import { clearDrain } from '../../db/queries/drain.ts'
import { TerminalError } from '../../domain/errors.ts'
import { systemClock } from '../../engine/system-clock.ts'
import { explained } from './failures.ts'
import { newGeneration } from './new-generation.ts'
import { reconcileEffects } from './reconcile-effects.ts'
import { refuseLeases } from './refusals.ts'
import { lockSchema } from './replace-schema.ts'
import type { RestoreOptions, RestoreReport } from './restore.ts'
import { stopFirst } from './stop-first.ts'
import { liveLeases, peekTarget, readTarget, type Target } from './target.ts'

/** What the report says it was restored from. */
const POINT_IN_TIME = 'point in time'

/** Nothing was loaded or replaced. */
export type ReconcileReport = Omit<RestoreReport, 'tenantsRemovedSince' | 'missing' | 'drift'>

/**
 * A restore's second half alone, for a database that somebody else has set back: by a point-in-time restore of the server, or by
 * plain psql. Starts a new generation, and records calls that act once and are not known to the journals.
 * @throws TerminalError `leases_live`, `restore_locked`, `effects_unreadable`, `nothing_to_reconcile`; nothing was changed then
 */
export async function reconcile(options: Omit<RestoreOptions, 'replace' | 'onProgress'>): Promise<ReconcileReport> {
  const { url, effects: claims, waitForLeasesMs, clock = systemClock, log = () => undefined } = options
  const { connect = {}, lockTimeoutMs, onStage = () => undefined } = options
  const begun = clock.monotonic()
  const work = async (client: Client): Promise<ReconcileReport> => {
    const session = openSession(client, url, { log, connect, lockTimeoutMs })
    // As in a restore.
    const peeked = await withClient(url, peekTarget, connect)
    if (peeked !== undefined) refuseNothing(peeked)
    await prepareRoles(url, connect)
    const target = await readTarget(client)
    refuseNothing(target)
    onStage('stop')
    const stop = await stopFirst(client, { url, connect, reason: 'a reconcile', waitMs: waitForLeasesMs, clock, log })
    try {
      const { generation, effects } = await inLockedTransaction(session, async () => {
        onStage('lock')
        await lockSchema(session)
        refuseLeases(await liveLeases(client), waitForLeasesMs)
        onStage('generation')
        const made = await newGeneration(client, { from: POINT_IN_TIME, run: randomUUID() })
        onStage('effects')
        const found = claims && (await reconcileEffects(client, claims, 'an earlier point in time'))
        if (!stop.others) await clearDrain(client)
        onStage('commit')
        return { generation: made, effects: found }
      })
      return {
        from: POINT_IN_TIME,
        into: target.place,
        rows: 0,
        revisionBefore: target.revision,
        revisionAfter: target.revision,
        durationMs: Math.round(clock.monotonic() - begun),
        unknownEffects: effects?.unknown.length ?? 0,
        effects,
        generation: generation.number,
        previous: target.previous,
      }
    } catch (error) {
      await stop.undo()
      throw explained(error)
    }
  }
  return withClient(url, work, connect)
}

function refuseNothing({ revision, place }: Target): void {
  if (revision > 0) return
  throw new TerminalError('nothing_to_reconcile', `${place} has no schema of Taskforce's. Nothing was changed.`, {
    hint: 'Name the database that was restored with --into URL, or restore a backup into this one.',
  })
}
