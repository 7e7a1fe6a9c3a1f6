import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'taskforce-build-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const build = (...words: string[]) =>
  spawnSync(process.execPath, [resolve('scripts/build.ts'), ...words], { cwd: folder, encoding: 'utf8' })

it('npm run build -- --help prints help, and builds nothing', () => {
  const { status, stdout } = build('--help')
  expect({ status, made: readdirSync(folder) }).toEqual({ status: 0, made: [] })
  expect(stdout).toContain('Usage: npm run build --')
  expect(stdout).toContain('Exit codes')
})

it.each(['--what', 'dist'])('%s is wrong usage', (word) => {
  const { status, stderr } = build(word)
  expect({ status, made: readdirSync(folder) }).toEqual({ status: 2, made: [] })
  expect(stderr).toContain('npm run build -- --help')
})
