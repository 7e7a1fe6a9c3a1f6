import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { fill } from '../../scripts/docs/fill.ts'
import { profileKeys } from '../../scripts/docs/profile-keys.ts'
import { toolList } from '../../scripts/docs/tool-list.ts'
import { profileFileSchema } from '../../src/config/profile-file.ts'

/** Pages that come from the product itself. When one fails: `npm run docs`, and read what changed. */

const page = (name: string) => readFileSync(`docs/${name}.md`, 'utf8')

it('docs/profiles.md has every key and every tool', () => {
  const profiles = page('profiles')
  expect(fill(fill(profiles, 'keys', profileKeys()), 'tools', toolList())).toBe(profiles)
})

it('every key of a profile is explained', () => {
  expect(profileKeys()).not.toMatch(/\|\s*\|$/m)
  for (const key of Object.keys(profileFileSchema.shape)) expect(profileKeys()).toContain(`\`${key}\``)
})
