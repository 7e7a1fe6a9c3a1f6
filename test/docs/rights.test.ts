import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const read = (file: string) => readFileSync(file, 'utf8').replaceAll(/\s+/g, ' ')

/** Of the roles that Azure has, those that may give roles and make locks, which production needs. */
const NEEDED = /Owner, or Contributor and User Access Administrator/

it.each(['README.md', 'docs/runbooks/initial-deployment.md'])(
  '%s asks for rights that are enough for locks',
  (file) => {
    expect(read('bicep/environments.bicep')).toContain('locks: true')
    expect(read(file)).toMatch(NEEDED)
    expect(read(file)).not.toContain('Role Based Access Control Administrator')
  },
)

it.each(['disaster-recovery', 'key-rotation', 'rollback'])('%s begins with the rights that it needs', (page) => {
  const [, first = ''] = readFileSync(`docs/runbooks/${page}.md`, 'utf8').split('\n\n')
  expect(first).toMatch(/^You need /)
  expect(first).toContain('OPERATOR_GROUP_ID')
})

it('the README has as many storage accounts as the templates', () => {
  const modules = read('bicep/main.bicep').match(/ module \w+ 'storage\.bicep' =/g) ?? []
  const words = ['no', 'one', 'two', 'three', 'four']
  expect(read('README.md')).toContain(`${words[modules.length]} storage accounts`)
})

describe('somebody leaves', () => {
  const section = read('docs/runbooks/key-rotation.md').split('## Somebody leaves')[1] ?? ''

  /** What a deployment makes for people, each of which stays when it is no longer in the parameters. */
  it.each([
    ['roles-deploy.bicep', 'roleAssignments', 'az role assignment delete'],
    ['postgres.bicep', 'administrators', 'az postgres flexible-server microsoft-entra-admin delete'],
    ['postgres.bicep', 'firewallRules', 'az postgres flexible-server firewall-rule delete'],
    ['postgres.bicep', 'locks', 'az lock delete'],
  ])('%s makes %s, and the page takes them away', (file, type, command) => {
    expect(read(`bicep/${file}`)).toContain(`/${type}@`)
    expect(section).toContain(command)
  })

  it('names each right on a single resource that a deployment gives to who runs it', () => {
    const roles = { storageBlobDataContributor: 'Storage Blob Data Contributor', reader: 'Reader' }
    const others = { keyVaultSecretsOfficer: 'Key Vault Secrets Officer', websiteContributor: 'Website Contributor' }
    const names: Record<string, string> = { ...roles, ...others }
    const templates = read('bicep/roles-deploy.bicep') + read('bicep/roles-deploy-sites.bicep')
    const given = new Set([...templates.matchAll(/roleIds\.(\w+)/g)].map(([, name = '']) => name))
    for (const name of given) expect(section.replaceAll(/\s+/g, ' ')).toContain(names[name] ?? name)
  })

  it('names the firewall rules of leavers as the templates do', () => {
    const named = [...section.matchAll(/`([\d./]+)` is `(taskforce-[\w-]+)`/g)]
    expect(named).toHaveLength(2)
    for (const [, address = '', name] of named) {
      expect(name).toBe(`taskforce-${address.replaceAll('.', '-').replaceAll('/', '_')}`)
    }
    expect(read('bicep/addresses.bicep')).toContain(`'taskforce-\${replace(replace(address, '.', '-'), '/', '_')}'`)
    expect(read('bicep/addresses.bicep')).toContain("'azure-services'")
  })
})
