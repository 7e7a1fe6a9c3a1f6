import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildId, readBuildId } from '../../src/build-id.ts'
import { type Built, buildBundle } from '../../src/local/build/build-bundle.ts'
import { buildIdOf } from '../../src/local/build/build-id-of.ts'

let folder: string
let dist: string
let built: Built
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'taskforce-build-'))
  dist = join(folder, 'dist')
  built = await buildBundle(dist)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test('a build says which one it is, twice the same for the same sources', async () => {
  expect(built.build).toMatch(/^[0-9a-f]{16}$/)
  expect(readBuildId(dist)).toBe(built.build)
  expect((await buildBundle(dist)).build).toBe(built.build)
})

test('a byte or a name that differs is another build', async () => {
  await rm(join(dist, 'build.json'))
  expect(buildIdOf(dist)).toBe(built.build)
  const sql = join(dist, 'migrations/0001_missions.up.sql')
  await writeFile(sql, (await readFile(sql, 'utf8')).replace('minCode: 1', 'minCode: 2'))
  const changed = buildIdOf(dist)
  await writeFile(join(dist, 'migrations/more.txt'), '')
  expect(new Set([built.build, changed, buildIdOf(dist)]).size).toBe(3)
})

test('sources are no build, and a file that is damaged says nothing', async () => {
  expect(buildId).toBeUndefined()
  await writeFile(join(folder, 'build.json'), '{"build":"../etc"}')
  expect(readBuildId(folder)).toBeUndefined()
})

test('git gives the same bytes of what is built on every system, and those of recordings as they were', async () => {
  const lines = (await readFile('.gitattributes', 'utf8')).split('\n').filter((line) => line !== '' && line[0] !== '#')
  expect(lines[0]).toBe('* text=auto eol=lf')
  expect(lines.at(-1)).toBe('test/recordings/** -text')
  expect(await readFile('test/recordings/odd-server/4.sse', 'utf8')).toContain('\r\n')
})
