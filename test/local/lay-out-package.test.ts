import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { buildIdOf } from '../../src/local/build/build-id-of.ts'
import { layOutPackage } from '../../src/local/build/lay-out-package.ts'
import { replaceFolder } from '../../src/local/build/replace-folder.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'taskforce-lay-out-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function put(name: string, text: string): Promise<void> {
  const file = join(folder, name)
  await mkdir(join(file, '..'), { recursive: true })
  await writeFile(file, text)
}

const fileId = async (name: string) => (await stat(join(folder, name))).ino

describe('layOutPackage', () => {
  it('done twice at once, as azd does it, gives one whole package, and once more touches nothing', async () => {
    const [dist, staged] = [join(folder, 'dist'), join(folder, 'package')]
    const [one, two] = await Promise.all([layOutPackage(dist, staged), layOutPackage(dist, staged)])
    expect(two).toEqual(one)
    expect((await readdir(folder)).sort()).toEqual(['dist', 'package'])
    expect((await readdir(staged)).sort()).toEqual(['dist', 'host.json', 'package.json'])
    const load = `require(${JSON.stringify(join(staged, 'dist/index.cjs'))}); console.log('loaded'); process.exit(0)`
    expect((await promisify(execFile)(process.execPath, ['-e', load])).stdout).toContain('loaded')
    const files = ['package/dist/bundle.cjs', 'package/host.json', 'dist/bundle.cjs', 'dist/index.cjs']
    const before = await Promise.all(files.map(fileId))
    expect(await layOutPackage(dist, staged)).toEqual(one)
    expect(await Promise.all(files.map(fileId))).toEqual(before)
    await rm(join(dist, 'build.json'))
    expect(buildIdOf(dist)).toBe(one.build)
  }, 60_000)
})

describe('replaceFolder', () => {
  it('replaces what differs, adds what is missing, takes away what is over, and leaves the rest alone', async () => {
    for (const [name, text] of Object.entries({ same: '1', 'deep/changed': 'old', 'deep/over': 'x' }))
      await put(`there/${name}`, text)
    for (const [name, text] of Object.entries({ same: '1', 'deep/changed': 'new', 'more/missing': 'y' }))
      await put(`wanted/${name}`, text)
    const [same, changed] = [await fileId('there/same'), await fileId('there/deep/changed')]
    replaceFolder(join(folder, 'wanted'), join(folder, 'there'))
    expect(await fileId('there/same')).toBe(same)
    // Moved there as a whole: whoever reads the old one still does.
    expect(await fileId('there/deep/changed')).not.toBe(changed)
    expect(await readFile(join(folder, 'there/deep/changed'), 'utf8')).toBe('new')
    expect(await readFile(join(folder, 'there/more/missing'), 'utf8')).toBe('y')
    await expect(stat(join(folder, 'there/deep/over'))).rejects.toMatchObject({ code: 'ENOENT' })
  })
})
