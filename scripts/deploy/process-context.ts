import { processContext } from '../mission/process-context.ts'
import type { DeployContext } from './open-session.ts'

/** Of a command that changes an environment: it clears up where nobody reads its output any more, and its log goes on. */
export function changingContext(): DeployContext {
  const gone = new AbortController()
  const onReaderGone = () => gone.abort()
  // Of a terminal that is closed, both fail.
  process.stderr.on('error', onReaderGone)
  return { ...processContext(onReaderGone), readerGone: gone.signal }
}
