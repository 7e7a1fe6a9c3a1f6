import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { TerminalError } from '../../src/domain/errors.ts'

const FILE = 'check-deploy.cjs'

/**
 * The file of the old build that tells its decisions: `path` itself, or in that folder or its `dist`.
 * @throws TerminalError `no_old_build`
 */
export async function findOldBuild(path: string): Promise<string> {
  for (const file of [path, join(path, FILE), join(path, 'dist', FILE)]) {
    const found = await stat(file).catch(() => undefined)
    if (found?.isFile()) return file
  }
  throw new TerminalError('no_old_build', `There is no ${FILE} in ${path}.`, {
    hint: `--from takes the folder of a package that npm run build made, or the ${FILE} in it. A package from before this command has none: check without --from then.`,
  })
}
