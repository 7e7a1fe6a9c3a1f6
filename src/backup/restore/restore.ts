import { randomUUID } from 'node:crypto'
import type { Client } from 'pg'
import { prepareRoles } from '../../db/migrate/bootstrap.ts'
import { withClient, type ConnectOptions } from '../../db/migrate/connect.ts'
import { inLockedTransaction, type Session } from '../../db/migrate/lock.ts'
import { openSession } from '../../db/migrate/up.ts'
import type { EffectClaims } from '../../engine/effect-claims.ts'
import type { Clock } from '../../engine/ports.ts'
import { systemClock } from '../../engine/system-clock.ts'
import { countRows } from '../known-backup.ts'
import type { Manifest } from '../manifest.ts'
import { bringForward } from './bring-forward.ts'
import { loadBackup } from './load-backup.ts'
import { newGeneration, type Generation } from './new-generation.ts'
import { reconcileEffects, type EffectsReport } from './reconcile-effects.ts'
import { explained, unfinished } from './failures.ts'
import { refuseLeases, refuseNewerSchema, refuseToReplace, requireManifest } from './refusals.ts'
import { carryOver, lockSchema, moveAway } from './replace-schema.ts'
import { MIGRATING_S, setRestoreDrain, stopFirst, type Stopped } from './stop-first.ts'
import { liveLeases, peekTarget, previousSchema, readTarget, type PreviousSchema, type Target } from './target.ts'

/** What a restore does, in this order. Up to `commit`, whatever goes wrong leaves the target as it was. */
export type Stage = 'stop' | 'lock' | 'load' | 'generation' | 'effects' | 'commit' | 'migrate' | 'analyze'

export interface RestoreOptions {
  /** Of a login that may be `taskforce_owner`, past any pooler. */
  url: string
  /** How to sign in where the password is not in the URL. */
  connect?: ConnectOptions
  /** Lets what is there be moved out of the way. */
  replace: boolean
  /** How long to wait until nobody works on a mission any more, in milliseconds. */
  waitForLeasesMs: number
  /** Calls that act once and were begun; undefined: there is no storage of this deployment to compare with. */
  effects: EffectClaims | undefined
  /** Of each of the tries to lock the tables, in milliseconds; 5,000 by default. */
  lockTimeoutMs?: number
  clock?: Clock
  log?: (line: string) => void
  onStage?: (stage: Stage) => void
  /** Of the stored file. */
  onProgress?: (bytesRead: number, bytesTotal: number) => void
}

export interface RestoreRequest extends RestoreOptions {
  /** Undefined for a file that lies there without one, which is refused. */
  manifest: Manifest | undefined
  /** The stored file; it is read once. */
  chunks: AsyncIterable<Buffer>
  /** What it is encrypted with, if it is. */
  dataKey?: Buffer
}

export interface RestoreReport {
  /** Name of the backup. */
  from: string
  /** Host, port and database. */
  into: string
  rows: number
  revisionBefore: number
  revisionAfter: number
  durationMs: number
  /** Calls that were recorded as unknown: `effects` names them. */
  unknownEffects: number
  effects: EffectsReport | undefined
  generation: number
  /** What restores moved out of the way, this one last; it is kept until somebody drops it. */
  previous: PreviousSchema[]
  /** Tenants of the backup that were removed since, and are marked as removed: the next retention takes them away. */
  tenantsRemovedSince: number
  /** What was in the dumped database and not in its backup, so that it is not here either. */
  missing: string[]
  /** How the restored schema differs from that of its revision; none, unless somebody changes it meanwhile. */
  drift: string[]
}

/**
 * Restores a backup in one transaction, brings it to this build's schema, and starts a new generation: nobody who worked on a
 * mission before can write any more, and what acts once and may have happened since the backup is told and not done again.
 * The deployment drains meanwhile. Interrupted before the commit, even by SIGKILL, the target is as it was.
 * @throws TerminalError: one of `isRestoreRefusal`, `restore_locked`, `restore_failed`, `effects_unreadable`,
 * `migrate_not_allowed`, `migrate_busy` or of the connection
 */
export async function restore(request: RestoreRequest): Promise<RestoreReport> {
  const {
    url,
    connect = {},
    lockTimeoutMs,
    clock = systemClock,
    log = () => undefined,
    onStage = () => undefined,
  } = request
  const begun = clock.monotonic()
  const manifest = requireManifest(request.manifest)
  await refuseNewerSchema(manifest)
  const work = async (client: Client): Promise<RestoreReport> => {
    const session = openSession(client, url, { log, connect, lockTimeoutMs })
    // What is refused leaves nothing behind on the server either, so this comes before the roles; who may look after it looks again.
    const peeked = await withClient(url, peekTarget, connect)
    if (peeked !== undefined) refuseToReplace(peeked, request.replace)
    await prepareRoles(url, connect)
    const target = await readTarget(client)
    refuseToReplace(target, request.replace)
    onStage('stop')
    const reason = `a restore of ${manifest.name}`
    const stop = await stopFirst(client, { url, connect, reason, waitMs: request.waitForLeasesMs, clock, log })
    const done = await replaceSchema(session, { ...request, manifest, onStage }, target, stop)
    const { revision, drift } = await bringForward(session, stop, onStage).catch((error: unknown) => {
      throw unfinished(error)
    })
    return {
      from: manifest.name,
      into: target.place,
      rows: countRows(manifest.contents),
      revisionBefore: target.revision,
      revisionAfter: revision,
      durationMs: Math.round(clock.monotonic() - begun),
      unknownEffects: done.effects?.unknown.length ?? 0,
      effects: done.effects,
      generation: done.generation.number,
      previous: [...target.previous, ...(done.previous === undefined ? [] : [previousSchema(done.previous)])],
      tenantsRemovedSince: done.tenantsRemovedSince,
      missing: manifest.contents.missing,
      drift,
    }
  }
  return withClient(url, work, connect)
}

interface Replaced {
  /** Where what was there is now. */
  previous: string | undefined
  generation: Generation
  effects: EffectsReport | undefined
  tenantsRemovedSince: number
}

type Checked = RestoreRequest & { manifest: Manifest; onStage: (stage: Stage) => void }

async function replaceSchema(session: Session, request: Checked, target: Target, stop: Stopped): Promise<Replaced> {
  try {
    return await inLockedTransaction(session, async () => {
      const { client } = session
      request.onStage('lock')
      await lockSchema(session)
      // A claim that was on its way when the drain was set.
      refuseLeases(await liveLeases(client), request.waitForLeasesMs)
      const previous = target.exists ? await moveAway(session) : undefined
      request.onStage('load')
      await loadBackup(client, request, { onProgress: request.onProgress })
      const replaced = await beginAnew(session, request, target, previous)
      // Until the migrations are done, in place of one of the backup's own time. Ours is over by itself where this process dies.
      if (!stop.others) await setRestoreDrain(client, `a restore of ${request.manifest.name}`, MIGRATING_S)
      request.onStage('commit')
      return replaced
    })
  } catch (error) {
    await stop.undo()
    throw explained(error)
  }
}

async function beginAnew(
  session: Session,
  { manifest, effects: claims, onStage }: Checked,
  target: Target,
  previous: string | undefined,
): Promise<Replaced> {
  const { client } = session
  onStage('generation')
  const tenantsRemovedSince = previous === undefined ? 0 : await carryOver(session, previous)
  const from = manifest.name
  const generation = await newGeneration(client, { from, run: randomUUID(), atLeast: target.generation })
  onStage('effects')
  const to = `the backup ${from} of ${manifest.contents.snapshotAt}`
  const effects = claims === undefined ? undefined : await reconcileEffects(client, claims, to)
  return { previous, generation, effects, tenantsRemovedSince }
}
