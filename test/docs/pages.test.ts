import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { fill } from '../../scripts/docs/fill.ts'
import { profileKeys } from '../../scripts/docs/profile-keys.ts'
import { templateParameters } from '../../scripts/docs/template-parameters.ts'
import { toolList } from '../../scripts/docs/tool-list.ts'
import { profileFileSchema } from '../../src/config/profile-file.ts'

/** Pages that come from the product itself. When one fails: `npm run docs`, and read what changed. */

const page = (name: string) => readFileSync(`docs/${name}.md`, 'utf8')

it('docs/profiles.md has every key and every tool', () => {
  const profiles = page('profiles')
  expect(fill(fill(profiles, 'keys', profileKeys()), 'tools', toolList())).toBe(profiles)
})

it('docs/azure-parameters.md has every parameter of the templates', () => {
  const parameters = page('azure-parameters')
  expect(fill(parameters, 'parameters', templateParameters())).toBe(parameters)
  expect(templateParameters()).not.toMatch(/\|\s*\|$/m)
  for (const words of ['`searchIndex` | `string', '`postgres.skuName` | `string', '`openAi` | `ExistingResource?'])
    expect(parameters).toContain(words)
})

it('every key of a profile is explained', () => {
  expect(profileKeys()).not.toMatch(/\|\s*\|$/m)
  for (const key of Object.keys(profileFileSchema.shape)) expect(profileKeys()).toContain(`\`${key}\``)
})

const written = ['README.md', ...globSync('docs/**/*.md')].map((file) => ({ file, text: readFileSync(file, 'utf8') }))

it('every command of a page is one of package.json', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> }
  const unknown = written.flatMap(({ file, text }) =>
    [...text.matchAll(/\bnpm run (?:--silent )?([a-z][\w:-]*)/g)]
      .map(([, name = '']) => name)
      .filter((name) => scripts[name] === undefined)
      .map((name) => `${file}: npm run ${name}`),
  )
  expect(unknown).toEqual([])
})

it('every option of a deployment that a page names is one that the commands know', () => {
  const known = globSync('scripts/{deploy,rollback,deployments}/**/*.ts').map((file) => readFileSync(file, 'utf8'))
  const options = new Set(known.join('').match(/--[a-z][a-z-]+/g))
  const used = written.flatMap(({ file, text }) =>
    [...text.matchAll(/npm run (?:deploy|rollback|deployments) -- ([^\n`#]*)/g)].flatMap(([, words = '']) =>
      (words.match(/--[a-z][a-z-]+/g) ?? []).map((option) => ({ file, option })),
    ),
  )
  expect(used.length).toBeGreaterThan(10)
  expect(used.filter(({ option }) => !options.has(option))).toEqual([])
})

it('every page that a page links to is there', () => {
  const broken = written.flatMap(({ file, text }) =>
    [...text.matchAll(/\]\(([^)#:]+\.md)\)/g)]
      .map(([, target = '']) => join(dirname(file), target))
      .filter((target) => globSync(target).length === 0)
      .map((target) => `${file}: ${target}`),
  )
  expect(broken).toEqual([])
})
