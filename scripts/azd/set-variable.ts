import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { TerminalError } from '../../src/domain/errors.ts'

export interface AzdSurroundings {
  env: NodeJS.ProcessEnv
  cwd: string
}

/**
 * Keeps a value in the environment of azd, which reads it again after each hook and so gives it to the templates of the same run. Throws
 * TerminalError `azd_failed`.
 */
export async function setVariable(
  { env, cwd }: AzdSurroundings,
  environment: string,
  { name, value }: { name: string; value: string },
): Promise<void> {
  const words = ['env', 'set', name, value, '--environment', environment, '--no-prompt']
  try {
    await promisify(execFile)('azd', words, { env, cwd })
  } catch (cause) {
    const { code, stderr = '' } = cause as { code?: unknown; stderr?: string }
    const why = code === 'ENOENT' ? 'there is no azd on PATH' : stderr.trim() || `it ended with ${String(code)}`
    throw new TerminalError('azd_failed', `azd did not keep ${name}: ${why}.`, {
      hint: `By hand: azd ${words.slice(0, 3).join(' ')} "${value}" --environment ${environment}, then azd again.`,
      cause,
    })
  }
}
