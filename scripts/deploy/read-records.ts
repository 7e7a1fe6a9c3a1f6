import { readHistory, worriesOf, type History } from './records.ts'
import type { Session } from './session.ts'
import type { Target } from './target.ts'

/** Reads the history of an environment, and says on standard error what is wrong with it. */
export async function readRecords({ run, environment, terminal, log, now }: Session, target: Target): Promise<History> {
  const history = await readHistory(run, target, environment)
  for (const line of worriesOf(history, now())) {
    log.write(line)
    terminal.note(line)
  }
  return history
}
