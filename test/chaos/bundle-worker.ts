import { join } from 'node:path'
import { build } from 'esbuild'

const SOURCE = join(import.meta.dirname, '../proof/worker/worker.ts')

/** The worker as one file, which starts in a third of the time: some hundred are started in a soak. */
export async function bundleWorker(folder: string): Promise<string> {
  const outfile = join(folder, 'worker.cjs')
  await build({
    entryPoints: [SOURCE],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node22',
    logLevel: 'error',
  })
  return outfile
}
