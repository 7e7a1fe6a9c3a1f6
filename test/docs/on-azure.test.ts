import { globSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { PassThrough } from 'node:stream'
import { expect, it } from 'vitest'
import { createTerminal, type Streams } from '../../scripts/mission/terminal.ts'
import { open } from '../../scripts/backup/open.ts'

/** Commands that are printed for a night on Azure have to find the database and the backups there. */

const section = /\n## From a machine on Azure\n([^]*?)\n## /.exec(
  readFileSync('docs/runbooks/backup-and-restore.md', 'utf8'),
)?.[1] as string

/** What the shell would have after the lines that export the settings. */
function settings(): Record<string, string> {
  const lines = section.split('\n').filter((line) => line.startsWith('export ') && !line.includes('API_KEY='))
  const pairs = lines.flatMap((line) => [...line.matchAll(/(\w+)=('[^']*'|\S+)/g)])
  return Object.fromEntries(
    pairs
      .filter(([, name]) => name !== 'sslmode')
      .map(([, name = '', value = '']) => [name, value.replaceAll("'", '')]),
  )
}

function opened(env: Record<string, string>) {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
  const terminal = createTerminal({ stdin, stdout, stderr } as unknown as Streams, {})
  return open({ data: '.no-such-folder' }, { env, cwd: tmpdir(), terminal })
}

it('the settings of the page reach the database, the backups and the claims of the environment', () => {
  const context = opened(settings())
  expect(context.databaseUrl).toBe('postgresql://LOGIN@HOST:5432/taskforce?sslmode=verify-full')
  expect(context.connect.password).toBeTypeOf('function')
  expect(context.folder).toBeUndefined()
  expect(context.main.place).toBe('https://ACCOUNT.blob.core.windows.net/backups')
  expect(context.storage).toMatchObject({ kind: 'identity', blobServiceUri: 'https://ACCOUNT.blob.core.windows.net' })
  expect(context.keyUrl).toBe('https://VAULT.vault.azure.net/keys/backups')
  expect(context.offsite?.place).toBe('https://OFFSITE.blob.core.windows.net/CONTAINER')
})

it('without those of the storage the backups would be files of that machine, as the page says', () => {
  const env = Object.fromEntries(Object.entries(settings()).filter(([name]) => !name.startsWith('JOBS_STORAGE')))
  expect(opened(env).folder).toContain('backups')
})

it('gives the roles that the templates give to the app, on the same containers and the same key, and takes all back', () => {
  const templates = readFileSync('bicep/roles.bicep', 'utf8')
  const scopes = [...section.matchAll(/role assignment create .* --scope "([^"]+)"/g)].map(([, scope]) => scope)
  const deleted = [...section.matchAll(/role assignment delete .* --scope "([^"]+)"/g)].map(([, scope]) => scope)
  expect(deleted).toEqual(scopes)
  for (const name of ['effects', 'backups']) {
    expect(scopes).toContain(`$CONTAINERS/${name}`)
    expect(templates).toContain(`'containers' existing = { name: '${name}' }`)
  }
  expect(section).toContain('/keys/backups')
  expect(templates).toContain(`'keys' existing = { name: 'backups' }`)
  const granted = [...section.matchAll(/^grant (.*) to "LOGIN"/gm)].flatMap(([, what = '']) => what.split(', '))
  const revoked = [...section.matchAll(/^revoke (.*) from "LOGIN"/gm)].flatMap(([, what = '']) => what.split(', '))
  expect(revoked.toSorted()).toEqual(granted.toSorted())
})

it.each(globSync('docs/runbooks/*.md').filter((file) => !file.endsWith('backup-and-restore.md')))(
  '%s says where the settings are, if it has a command of backups or restores',
  (file) => {
    const page = readFileSync(file, 'utf8')
    if (!/npm run (backup|restore)|admin\/backups/.test(page)) return
    expect(page).toContain('(backup-and-restore.md#from-a-machine-on-azure)')
  },
)
