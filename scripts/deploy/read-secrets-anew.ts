import { refreshSecrets, restart } from './commands/apps.ts'
import type { Session } from './session.ts'
import type { Target } from './target.ts'

/** Has the platform look for the app's secrets now, and starts the app anew, which keeps the ones that it started with. */
export async function readSecretsAnew({ run }: Session, target: Target): Promise<void> {
  await run(refreshSecrets(target))
  await run(restart(target))
}
