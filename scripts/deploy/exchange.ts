import { TerminalError } from '../../src/domain/errors.ts'
import { readMigratorKey } from './commands/apps.ts'
import { isTakenOver, requireLock } from './lock.ts'
import { createMigrator, type AskMigrator, type MigratorOptions, type Standing } from './migrator.ts'
import { readSecret } from './read-output.ts'
import { replacePackage, type Replacement } from './replace-package.ts'
import { drainRequest, isOurs, resumeRequest } from './requests.ts'
import { inStage, type Session } from './session.ts'
import type { Target } from './target.ts'

export interface Exchange extends Replacement {
  migrator: AskMigrator
  /** Who drains and why, for people who look. */
  reason: string
  /** Runs while nothing moves, once the new package is there. */
  meanwhile?: () => Promise<void>
}

const LOOK_MS = 2_000
/** Often enough that one renewal may fail, and the next too. */
export const RENEW_MS = 300_000

/** A migrator that is signed in with the key that the platform made for it. */
export async function openMigrator(
  { run, log, clock, stopping }: Session,
  target: Target,
  expected?: MigratorOptions['expected'],
): Promise<AskMigrator> {
  const key = log.keep(await readSecret(run, readMigratorKey(target)))
  return createMigrator({
    url: target.migratorUrl,
    key,
    clock,
    log,
    stop: stopping.signal,
    ...(expected === undefined ? {} : { expected }),
  })
}

/**
 * Puts another package in the place of the one that runs: drains, publishes, and resumes, whatever happens in between. The drain is
 * renewed until then: nobody may take missions up before the new package is there, however long that takes.
 */
export async function exchange(session: Session, work: Exchange): Promise<void> {
  const { migrator } = work
  const renewal = keepRenewing(session, work)
  try {
    await inStage(session, 'drain', () => drain(session, work))
    await inStage(session, 'publish', () => replace(session, work))
    await renewal.stop()
    await inStage(session, 'resume', async () => void (await migrator(resumeRequest())))
  } catch (error) {
    await renewal.stop()
    if (await isTakenOver(session)) session.log.say('  the drain stays: it is of the run that has the lock')
    else await clearDrain(session, migrator)
    throw error
  }
}

/** After a failure, which is what has to be told of. */
async function clearDrain({ log }: Session, migrator: AskMigrator): Promise<void> {
  try {
    const { drain: others } = await migrator(resumeRequest())
    if (others === null) log.say('  the drain is over')
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    log.say(`  the drain could not be cleared (${why}); it ends by itself within 15 minutes`)
  }
}

/** Sets the drain and waits until missions are handed over; those that are not are taken up by the new instances. */
async function drain(session: Session, { migrator, reason }: Exchange): Promise<void> {
  const { clock, options, log } = session
  await requireLock(session)
  const begun = clock.monotonic()
  let standing = await setDrain(migrator, reason)
  while (standing.held > 0 && clock.monotonic() - begun < options.wait * 1000) {
    await clock.sleep(LOOK_MS)
    standing = await migrator({ action: 'status' })
  }
  if (standing.held > 0) log.say(`  ${standing.held} missions are not handed over yet; the new instances take them up`)
}

async function replace(session: Session, work: Exchange): Promise<void> {
  const { migrator, reason, meanwhile } = work
  // Each time for as long as the next step may take; and nobody else has set one meanwhile.
  await setDrain(migrator, reason)
  await replacePackage(session, work)
  // Which took minutes, in which another run may have taken the environment over.
  await requireLock(session)
  await setDrain(migrator, reason)
  await meanwhile?.()
}

/** @throws TerminalError `drained_by_others` */
async function setDrain(migrator: AskMigrator, reason: string, ends?: AbortSignal): Promise<Standing> {
  const standing = await migrator(drainRequest(reason), ends)
  const { drain: others } = standing
  if (isOurs(others)) return standing
  throw new TerminalError('drained_by_others', `The deployment is drained by ${others?.by}: ${others?.reason}.`, {
    hint: 'Let them finish, then run the same command.',
  })
}

/**
 * Renews the drain from time to time, as long as the lock is this run's: another's drain is its own to keep and to end. `stop` waits for
 * one that was sent, which would undo what comes after it.
 */
function keepRenewing(session: Session, { migrator, reason }: Exchange): { stop: () => Promise<void> } {
  const { clock, log } = session
  const stopping = new AbortController()
  const { signal } = stopping
  const renew = async () => {
    for (;;) {
      await clock.sleep(RENEW_MS, signal)
      if (signal.aborted) return
      // The steps themselves look again, and tell.
      try {
        await requireLock(session)
        await setDrain(migrator, reason, signal)
      } catch (error) {
        log.write(`the drain was not renewed: ${error instanceof Error ? error.message : String(error)}`)
      }
    }
  }
  const renewing = renew()
  return {
    stop: () => {
      stopping.abort()
      return renewing
    },
  }
}
