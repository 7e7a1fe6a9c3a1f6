import { TerminalError } from '../../../src/domain/errors.ts'
import { showBicepVersion } from '../commands/subscription.ts'
import type { Session } from '../session.ts'

/** From this on parameter files can extend one another, by Microsoft's page; the oldest that `bicep/` was tried with is 0.47.16. */
export const OLDEST_BICEP = '0.44.1'

/** @throws TerminalError `bicep_missing`, `bicep_too_old` */
export async function requireBicep({ run, log }: Session): Promise<void> {
  const text = await run(showBicepVersion()).catch((cause: unknown) => {
    if (!(cause instanceof TerminalError) || cause.code !== 'command_failed') throw cause
    throw new TerminalError('bicep_missing', 'The Azure CLI has no Bicep compiler, or none that runs.', {
      hint: 'az bicep install',
      cause,
    })
  })
  const version = /\b\d+\.\d+\.\d+\b/.exec(text)?.[0]
  if (version === undefined) return log.say('  which Bicep compiler the Azure CLI has could not be read')
  if (version.localeCompare(OLDEST_BICEP, 'en', { numeric: true }) >= 0) return
  throw new TerminalError('bicep_too_old', `Bicep ${version} can't read these templates: they need ${OLDEST_BICEP}.`, {
    hint: 'az bicep upgrade',
  })
}
