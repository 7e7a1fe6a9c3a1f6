import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')

/** What goes to Azure: everything under `functions/` and `src/`, less what stands in for Azure on one machine. */
const files = globSync(['functions/**/*.ts', 'src/**/*.ts'], { cwd: root })
  .filter((file) => !file.startsWith('src/local/'))
  .map((file) => ({ file, text: readFileSync(join(root, file), 'utf8') }))

/** Static, dynamic and type imports, re-exports, and `require`. */
const IMPORT = /(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*)(['"])([^'"]+)\1/g

/** Marks of one host, of a test runner or of a build of our own; none of them may change what the app does. */
const SWITCH =
  /\b(VITEST|JEST_WORKER_ID|NODE_ENV|AZURE_FUNCTIONS_ENVIRONMENT|FUNCTIONS_WORKER_\w+|TASKFORCE_(?!API_KEY)\w+)\b/

test('the files that go to Azure are found', () => {
  expect(files.map(({ file }) => file)).toEqual(expect.arrayContaining(['functions/index.ts', 'src/domain/decide.ts']))
})

test('no file that goes to Azure imports the local host, a script or a test', () => {
  const climbing = files.flatMap(({ file, text }) =>
    [...text.matchAll(IMPORT)]
      .map(([, , target = '']) => target)
      .filter((target) => target.startsWith('.'))
      .map((target) => relative(root, join(root, dirname(file), target)))
      .filter((target) => target !== 'package.json')
      .filter((target) => !/^(functions|src)\//.test(target) || target.startsWith('src/local/'))
      .map((target) => `${file} imports ${target}`),
  )
  expect(climbing).toEqual([])
})

test('no file that goes to Azure names src/local or asks whether it runs in a test or in one particular host', () => {
  // config/settings.ts lists, for the documentation, names that belong to other programs and reads none of them.
  const asking = files
    .filter(({ file }) => file !== 'src/config/settings.ts')
    .flatMap(({ file, text }) => {
      const found = /src\/local|local\/host|\.taskforce\b/.exec(text)?.[0] ?? SWITCH.exec(text)?.[0]
      return found === undefined ? [] : [`${file}: ${found}`]
    })
  expect(asking).toEqual([])
})

test('only the entry points read the environment, so that every setting is one of the documented ones', () => {
  const readers = files.filter(({ text }) => text.includes('process.env')).map(({ file }) => file)
  expect(readers.filter((file) => file.startsWith('src/'))).toEqual([])
})
