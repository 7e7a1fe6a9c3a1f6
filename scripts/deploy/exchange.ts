import { TerminalError } from '../../src/domain/errors.ts'
import { publish, readMigratorKey } from './commands/apps.ts'
import { createMigrator, type AskMigrator, type MigratorOptions, type Standing } from './migrator.ts'
import { readSecret } from './read-output.ts'
import { drainRequest, isOurs, resumeRequest } from './requests.ts'
import { inStage, type Session } from './session.ts'
import type { Target } from './target.ts'

export interface Exchange {
  target: Target
  migrator: AskMigrator
  /** The package on this machine. */
  file: string
  /** Who drains and why, for people who look. */
  reason: string
  /** Runs while nothing moves, once the new package is there. */
  meanwhile?: () => Promise<void>
}

const LOOK_MS = 2_000

/** A migrator that is signed in with the key that the platform made for it. */
export async function openMigrator(
  { run, log, clock }: Session,
  target: Target,
  expected?: MigratorOptions['expected'],
): Promise<AskMigrator> {
  const key = log.keep(await readSecret(run, readMigratorKey(target)))
  return createMigrator({ url: target.migratorUrl, key, clock, log, ...(expected === undefined ? {} : { expected }) })
}

/** Puts another package in the place of the one that runs: drains, publishes, and resumes, whatever happens in between. */
export async function exchange(session: Session, work: Exchange): Promise<void> {
  const { run } = session
  const { target, migrator, file, meanwhile } = work
  try {
    await inStage(session, 'drain', () => drain(session, work))
    await inStage(session, 'publish', async () => {
      await run(publish(target, target.app, file))
      await meanwhile?.()
    })
  } catch (error) {
    await migrator(resumeRequest()).catch((failure: Error) =>
      session.log.say(`  the drain could not be cleared (${failure.message}); it ends by itself within 15 minutes`),
    )
    throw error
  }
  await inStage(session, 'resume', async () => void (await migrator(resumeRequest())))
}

/** Sets the drain and waits until missions are handed over; those that are not are taken up by the new instances. */
async function drain({ clock, options, log }: Session, { migrator, reason }: Exchange): Promise<void> {
  const begun = clock.monotonic()
  let standing = await migrator(drainRequest(reason))
  refuseOthers(standing)
  while (standing.held > 0 && clock.monotonic() - begun < options.wait * 1000) {
    await clock.sleep(LOOK_MS)
    standing = await migrator({ action: 'status' })
  }
  if (standing.held > 0) log.say(`  ${standing.held} missions are not handed over yet; the new instances take them up`)
}

function refuseOthers({ drain: others }: Standing): void {
  if (isOurs(others)) return
  throw new TerminalError('drained_by_others', `The deployment is drained by ${others?.by}: ${others?.reason}.`, {
    hint: 'Let them finish, then run the same command.',
  })
}
