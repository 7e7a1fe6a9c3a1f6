import { build } from 'esbuild'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildBundle } from '../../src/local/build/build-bundle.ts'

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'taskforce-sandbox-'))
  await buildBundle(join(folder, 'dist'))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

async function sourcesOf(file: string): Promise<string[]> {
  const map = JSON.parse(await readFile(join(folder, 'dist', `${file}.map`), 'utf8')) as { sources: string[] }
  return map.sources
}

test('the bundle has none of QuickJS, and its thread has little else', async () => {
  const bundle = await sourcesOf('bundle.cjs')
  expect(bundle.filter((source) => /quickjs|sandbox\/(evaluate|worker)/.test(source))).toEqual([])
  const thread = await sourcesOf('sandbox-worker.cjs')
  expect(thread.some((source) => source.includes('@jitl/quickjs-singlefile-cjs-release-sync/'))).toBe(true)
  expect(thread.filter((source) => !/quickjs|src\/tools\/sandbox\//.test(source))).toEqual([])
})

test('the tool, bundled as the app is, runs a script in the thread beside it, far from any source', async () => {
  // The bundle exports no tool, so this is one more entry beside it: it finds the thread as the bundle does.
  await build({
    entryPoints: { tool: join(import.meta.dirname, '../../src/tools/run-javascript.ts') },
    outdir: join(folder, 'dist'),
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    define: { 'import.meta.dirname': '__dirname' },
    logLevel: 'silent',
  })
  const script = `
    const { createRunJavascript } = require('./tool.cjs')
    const workspace = { list: () => [], read: async () => Buffer.from('1,2,3') }
    const context = { signal: new AbortController().signal, workspace }
    const args = { code: 'console.log(typeof process); files.a.split(",").length * 14', files: ['a'] }
    createRunJavascript().run(args, context).then(({ text }) => console.log(text))`
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['-e', script], {
    cwd: join(folder, 'dist'),
    env: {},
  })
  expect(stderr).toBe('')
  expect(JSON.parse(stdout)).toEqual({ result: 42, logs: ['undefined'] })
})
