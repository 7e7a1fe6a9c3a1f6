import { build } from 'esbuild'
import { cpSync, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BUILD_FILE } from '../../build-id.ts'
import { buildIdOf } from './build-id-of.ts'

export interface Built {
  /** The file that the Functions host loads. */
  entry: string
  bundleBytes: number
  mapBytes: number
  /** By which the running app says which package it is, 16 hexadecimal digits: the same files give the same one. */
  build: string
}

const root = join(import.meta.dirname, '../../..')

/** What the bundle reads at run time, copied beside it. */
const ASSETS: [from: string, to: string][] = [
  ['profiles', 'profiles'],
  ['src/db/migrations', 'migrations'],
  ['src/backup/schema', 'backup-schema'],
]

/** Runs before the bundle, so that stack traces give TypeScript lines: one file with a map alone shows the bundle's. */
const ENTRY = `process.setSourceMapsEnabled(true)\nmodule.exports = require('./bundle.cjs')\n`

/**
 * Bundles `functions/` into `dist/`: one CommonJS file with its map, and the files that it reads. The sandbox's thread is a
 * file of its own beside it, which alone has the 0.9 MB of QuickJS; so is `check-deploy.cjs`, which nothing here loads: a later
 * build asks it what this one would do. `build.json` says which build it is.
 */
export async function buildBundle(outdir = join(root, 'dist')): Promise<Built> {
  rmSync(outdir, { recursive: true, force: true })
  mkdirSync(outdir, { recursive: true })
  await build({
    absWorkingDir: root,
    entryPoints: {
      bundle: 'functions/index.ts',
      'sandbox-worker': 'src/tools/sandbox/worker.ts',
      'check-deploy': 'src/engine/next-decision.ts',
    },
    outdir,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node22',
    // The host provides functions-core; pg-native is pg's optional C binding, which is not installed.
    external: ['@azure/functions-core', 'pg-native'],
    define: { 'import.meta.dirname': '__dirname' },
    sourcemap: 'linked',
    sourcesContent: false,
    keepNames: true,
    legalComments: 'linked',
    logLevel: 'warning',
  })
  for (const [from, to] of ASSETS) {
    if (existsSync(join(root, from))) cpSync(join(root, from), join(outdir, to), { recursive: true })
  }
  const entry = join(outdir, 'index.cjs')
  writeFileSync(entry, ENTRY)
  const id = buildIdOf(outdir)
  writeFileSync(join(outdir, BUILD_FILE), JSON.stringify({ build: id }))
  const size = (name: string) => statSync(join(outdir, name)).size
  return { entry, bundleBytes: size('bundle.cjs'), mapBytes: size('bundle.cjs.map'), build: id }
}

export function formatBuild(built: Built, loadMs: number): string {
  const mib = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(2)} MiB`
  return `Built ${built.entry} (${built.build}): ${mib(built.bundleBytes)}, map ${mib(built.mapBytes)}, loads in ${loadMs.toFixed(0)} ms\n`
}
