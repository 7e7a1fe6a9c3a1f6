import { confirm } from '../restore/confirm.ts'
import { createInfrastructure, whatIf } from './commands/subscription.ts'
import { requireTarget } from './find-target.ts'
import { asEnvironment } from './parameters/as-environment.ts'
import type { Progress } from './progress.ts'
import { inStage, type Session } from './session.ts'
import type { Target } from './target.ts'

/** Shows what would change in Azure, asks, and changes it. Answers where everything is then. Throws TerminalError. */
export async function provision(session: Session, { parameters = {} }: Progress): Promise<Target> {
  const { environment, run, options, terminal, stopping } = session
  const asking = { ...options, signal: stopping.signal }
  const env = asEnvironment(parameters)
  await inStage(session, 'what-if', () => run({ ...whatIf(environment), env }))
  // After the stage, which has lines of its own that would come into the question.
  if (options.yes !== true) await confirm(terminal, `${environment.name} would be changed as shown above`, asking)
  return inStage(session, 'infrastructure', async () => {
    await run({ ...createInfrastructure(environment), env })
    return requireTarget(session)
  })
}
