import { join } from 'node:path'
import { build } from 'esbuild'

const root = join(import.meta.dirname, '../../..')

/** The worker as one file, which starts in 150 ms instead of 350: a sweep starts a thousand, a soak some hundred. Gives its path. */
export async function bundleWorker(folder: string): Promise<string> {
  const outfile = join(folder, 'worker.mjs')
  await build({
    absWorkingDir: root,
    entryPoints: ['test/proof/worker/worker.ts'],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node22',
    external: ['pg-native'],
    // Packages in CommonJS ask for Node's own modules at run time.
    banner: { js: `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)` },
    define: { 'import.meta.dirname': JSON.stringify(folder) },
    keepNames: true,
    logLevel: 'warning',
  })
  return outfile
}
