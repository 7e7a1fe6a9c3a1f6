import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { buildBundle } from '../../src/local/build/build-bundle.ts'
import { stagePackage } from '../../src/local/build/stage-package.ts'
import { ofType, pinned } from './environments.ts'

const azure = z
  .object({
    infra: z.object({ provider: z.literal('bicep'), path: z.string(), module: z.string() }),
    services: z.record(
      z.string(),
      z.object({ project: z.string(), host: z.literal('function'), dist: z.string(), remoteBuild: z.literal(false) }),
    ),
    hooks: z.record(
      z.string(),
      z.record(z.enum(['posix', 'windows']), z.object({ shell: z.string(), run: z.string() })),
    ),
  })
  .parse(parse(readFileSync('azure.yaml', 'utf8')))

describe('azure.yaml', () => {
  it('names the templates, with a parameter file of that name', () => {
    const { path, module } = azure.infra
    expect([`${path}/${module}.bicep`, `${path}/${module}.bicepparam`].filter((file) => !existsSync(file))).toEqual([])
  })

  it('has a service for each app, by the tag that azd looks for', () => {
    const tags = ofType(pinned('dev'), 'Microsoft.Web/sites').map(({ tags: all }) => all?.['azd-service-name'])
    expect(Object.keys(azure.services).sort()).toEqual(tags.sort())
  })

  it('has hooks for each shell, of commands that there are', () => {
    const scripts = z
      .object({ scripts: z.record(z.string(), z.string()) })
      .parse(JSON.parse(readFileSync('package.json', 'utf8')))
    expect(Object.keys(azure.hooks)).toEqual(['preprovision', 'postprovision', 'postdeploy'])
    for (const { posix, windows } of Object.values(azure.hooks)) {
      expect(posix).toMatchObject({ shell: 'sh', run: windows?.run })
      expect(scripts.scripts).toHaveProperty(/npm run (\S+)/.exec(posix?.run ?? '')?.[1] ?? '')
    }
  })

  it('has hooks that run each command of npm run azd', () => {
    const commands = [...readFileSync('scripts/azd/main.ts', 'utf8').matchAll(/\.command\('([\w-]+)'\)/g)]
    const run = Object.values(azure.hooks).flatMap(({ posix }) => posix?.run.split('; ') ?? [])
    expect(run).toEqual(commands.map(([, name]) => `npm run azd -- ${name}`))
  })

  it('takes what npm run build lays out, which nothing leaves out again', () => {
    for (const { dist, project } of Object.values(azure.services)) {
      expect({ dist, project }).toEqual({ dist: '.azure-package', project: '.' })
    }
    // azd refuses a project whose .funcignore lists node_modules, where nothing is built remotely.
    expect(existsSync('.funcignore')).toBe(false)
    expect(readFileSync('scripts/build.ts', 'utf8')).toContain('await layOutPackage()')
  })
})

describe('the package', () => {
  let folder: string
  let staged: string
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'taskforce-package-'))
    staged = join(folder, 'package')
    stagePackage(await buildBundle(join(folder, 'dist')), staged)
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('has the settings of the host at its root, and loads from its manifest with no module beside it', () => {
    expect(readFileSync(join(staged, 'host.json'), 'utf8')).toBe(readFileSync('host.json', 'utf8'))
    const manifest = JSON.parse(readFileSync(join(staged, 'package.json'), 'utf8')) as Record<string, unknown>
    expect(Object.keys(manifest)).toEqual(['name', 'version', 'main'])
    const code = `require(${JSON.stringify(join(staged, String(manifest['main'])))}); console.log('loaded'); process.exit(0)`
    expect(execFileSync(process.execPath, ['-e', code], { encoding: 'utf8', cwd: folder, stdio: 'pipe' })).toContain(
      'loaded',
    )
  })

  it('has no settings of one machine', () => {
    expect(existsSync(join(staged, 'local.settings.json'))).toBe(false)
    expect(existsSync(join(staged, 'node_modules'))).toBe(false)
  })
})
