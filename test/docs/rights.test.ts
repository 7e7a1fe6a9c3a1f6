import { globSync, readFileSync } from 'node:fs'
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

describe('people on call, at night', () => {
  const rollback = readFileSync('docs/runbooks/rollback.md', 'utf8')

  it('may use the machine in the network, which no template lets them, and nothing more', () => {
    const templates = globSync('bicep/*.bicep').map(read).join('')
    expect(templates).not.toContain('Microsoft.Compute/')
    const [role = '', scope] =
      /role assignment create .*--role "(.*)" --scope "(.*)"/
        .exec(readFileSync('docs/runbooks/initial-deployment.md', 'utf8'))
        ?.slice(1) ?? []
    expect({ role, scope }).toEqual({ role: 'Virtual Machine Contributor', scope: '$MACHINE' })
    expect(rollback).toContain(role)
    for (const command of ['az vm start', 'az vm run-command invoke', 'az vm deallocate'])
      expect(rollback).toContain(`\n${command} -g $GROUP -n vm-deploy`)
  })

  it.each(['rollback', 'initial-deployment'])('%s asks nothing where there is no terminal', (page) => {
    const text = readFileSync(`docs/runbooks/${page}.md`, 'utf8')
    const words = [...text.matchAll(/(?:--scripts "|^)([^\n"]*npm run (?:rollback|deploy) -- [^\n"]*)/gm)].map(
      ([, line = '']) => line,
    )
    const unattended = words.filter(
      (line) =>
        line.includes('$LOGIN') ||
        text.includes(
          `az login --identity --client-id DEPLOYER_CLIENT_ID && az account set --subscription SUBSCRIPTION_ID\n${line}`,
        ),
    )
    expect(unattended.length).toBeGreaterThan(0)
    for (const line of unattended) expect(line).toMatch(/ --yes$/)
  })

  it('are told what to do at each stage of a rollback', () => {
    const sources = ['scripts/rollback/go-back.ts', 'scripts/deploy/roll-back.ts', 'scripts/deploy/exchange.ts'].map(
      read,
    )
    const stages = [...sources.join('').matchAll(/inStage\( ?session, '([\w-]+)'/g)].map(([, stage]) => stage)
    expect(stages.length).toBeGreaterThan(6)
    expect(stages.filter((stage) => !rollback.includes(`\n| \`${stage}\` |`))).toEqual([])
  })
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
