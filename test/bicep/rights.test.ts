import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ENVIRONMENTS, ofType, pinned } from './environments.ts'
import { givenIn, roleNames, scopeIdOf } from './rights.ts'

const GUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g

describe.each(ENVIRONMENTS)('%s', (environment) => {
  const resources = pinned(environment)
  const assignments = ofType(resources, 'Microsoft.Authorization/roleAssignments')

  it('gives exactly these rights', () => {
    expect(givenIn(resources).sort()).toEqual(
      [
        'app: storageBlobDataOwner on storageAccounts/sthost',
        'app: storageQueueDataContributor on storageAccounts/sthost',
        'app: storageTableDataContributor on storageAccounts/sthost',
        'app: storageQueueDataContributor on storageAccounts/stdata',
        'app: storageBlobDataContributor on containers/effects',
        'app: keyVaultSecretsUser on vaults/kv-tf-',
        'app: monitoringMetricsPublisher on components/appi-taskforce',
        'app: openAiUser on accounts/oai-taskforce',
        'backup: storageBlobDataContributor on containers/backups',
        'migrator: storageBlobDataOwner on storageAccounts/stmig',
        'migrator: storageQueueDataContributor on storageAccounts/stmig',
        'migrator: storageTableDataContributor on storageAccounts/stmig',
        'migrator: monitoringMetricsPublisher on components/appi-taskforce',
        'deployer: storageBlobDataContributor on containers/deployments',
        'deployer: keyVaultSecretsOfficer on vaults/kv-tf-',
        'deployer: reader on resourceGroups/rg-taskforce',
        'deployer: websiteContributor on sites/func-taskforce',
        'deployer: websiteContributor on sites/func-taskforce-migrator',
        'operator: storageBlobDataContributor on containers/deployments',
        'operator: keyVaultSecretsOfficer on vaults/kv-tf-',
        'operator: websiteContributor on sites/func-taskforce',
        'operator: websiteContributor on sites/func-taskforce-migrator',
        ...(environment === 'dev' ? [] : ['app: keyVaultCryptoServiceEncryptionUser on keys/backups']),
      ].sort(),
    )
  })

  it('says of each what kind of principal it is, and why it has it', () => {
    for (const { properties } of assignments) {
      expect(['ServicePrincipal', 'User']).toContain(properties['principalType'])
      expect(properties['description']).toMatch(/^[A-Z].{10,}\.$/)
      if (properties['principalType'] === 'User') expect(properties['principalId']).toContain('deployer()')
    }
  })

  it('gives none over the subscription, and over the resource group none but to read what is no data', () => {
    const wide = assignments.filter(({ id }) => !/^\/.+\/providers\/Microsoft\..+\/.+\/./.test(scopeIdOf(id)))
    expect(givenIn(wide)).toEqual(['deployer: reader on resourceGroups/rg-taskforce'])
  })

  it('makes nobody an owner', () => {
    expect(givenIn(resources).filter((text) => text.includes('owner on'))).toEqual([])
    expect(givenIn(resources).join()).not.toContain('undefined')
  })

  it('lets no app reach what another runs from', () => {
    const packages = ofType(resources, 'Microsoft.Storage/storageAccounts/blobServices/containers')
      .map(({ name }) => /^(st\w+?)[a-z0-9]{13}\/default\/package-(\w+)$/.exec(name) ?? [])
      .filter(({ length }) => length > 0)
    expect(packages.map(([, account, app]) => [account, app]).sort()).toEqual([
      ['sthost', 'app'],
      ['stmig', 'migrator'],
    ])
    for (const [, account, app] of packages) {
      const rights = givenIn(resources).filter((text) => text.includes(`storageAccounts/${account}`))
      expect(new Set(rights.map((text) => text.split(':')[0]))).toEqual(new Set([app]))
      const site = ofType(resources, 'Microsoft.Web/sites').find(
        ({ name }) => name.includes('-migrator-') === (app === 'migrator'),
      )
      expect(JSON.stringify(site?.properties['functionAppConfig'])).toContain(`/storageAccounts/${account}`)
    }
  })

  it('keeps the identity that serves missions away from backups and the schema', () => {
    expect(givenIn(resources).filter((text) => /^app: .*(containers\/backups|deployments)/.test(text))).toEqual([])
    const administrators = ofType(resources, 'Microsoft.DBforPostgreSQL/flexibleServers/administrators')
    expect(JSON.stringify(administrators)).not.toContain('-app')
  })
})

it('GUIDs of roles stand in their table alone', () => {
  expect(roleNames.size).toBeGreaterThan(10)
  const others = readdirSync('bicep').filter((name) => name.endsWith('.bicep') && name !== 'role-ids.bicep')
  const found = others.flatMap((name) => readFileSync(`bicep/${name}`, 'utf8').match(GUID) ?? [])
  expect(found).toEqual([])
})

it('the table has the GUIDs that Azure knows', () => {
  // As published; the compiler takes any text.
  expect(Object.fromEntries([...roleNames].map(([id, name]) => [name, id]))).toEqual({
    keyVaultCryptoServiceEncryptionUser: 'e147488a-f6f5-4113-8e2d-b22465e65bf6',
    keyVaultSecretsOfficer: 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7',
    keyVaultSecretsUser: '4633458b-17de-408a-b874-0445c86b69e6',
    logAnalyticsReader: '73c42c96-874c-492b-b04d-ab87d138a893',
    monitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb',
    monitoringReader: '43d0d8ad-25c7-4714-9337-8ba259a9fe05',
    openAiUser: '5e0bd9bd-7b93-4f28-af87-19fc36ad61bd',
    owner: '8e3af657-a8ff-443c-a75c-2fe8c4bcb635',
    reader: 'acdd72a7-3385-48ef-bd42-f606fba81ae7',
    searchIndexDataReader: '1407120a-92aa-4202-b7e9-c0e197c71c8f',
    storageBlobDataContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe',
    storageBlobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b',
    storageQueueDataContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88',
    storageTableDataContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3',
    websiteContributor: 'de139f84-1756-47ae-9be6-808fbbe84772',
  })
})
