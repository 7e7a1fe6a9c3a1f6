import { roleIds } from 'role-ids.bicep'
import { Deployer } from 'types.bicep'

@description('Who deploys.')
param deployers Deployer[]

@description('Account of packages.')
param dataStorageName string

@description('Vault of the API key.')
param vaultName string

// Nobody, and who is in the list already: the deployer may be who runs the template, and Azure refuses an assignment that is there twice.
var principals = map(deployers, one => toLower(one.principalId))
var skipped = map(
  range(0, length(principals)),
  index => contains(concat([''], take(principals, index)), principals[index])
)

resource dataStorage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: dataStorageName

  resource blobs 'blobServices' existing = {
    name: 'default'

    resource packages 'containers' existing = { name: 'deployments' }
  }
}

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' existing = { name: vaultName }

resource packages 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (one, index) in deployers: if (!skipped[index]) {
    scope: dataStorage::blobs::packages
    name: guid(dataStorage::blobs::packages.id, one.principalId, roleIds.storageBlobDataContributor)
    properties: {
      principalId: one.principalId
      principalType: one.principalType
      roleDefinitionId: subscriptionResourceId(
        'Microsoft.Authorization/roleDefinitions',
        roleIds.storageBlobDataContributor
      )
      description: 'Who deploys keeps packages and the records of deployments.'
    }
  }
]

// Not less for who only publishes: the code that he publishes reads the secret anyway.
resource secrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (one, index) in deployers: if (!skipped[index]) {
    scope: vault
    name: guid(vault.id, one.principalId, roleIds.keyVaultSecretsOfficer)
    properties: {
      principalId: one.principalId
      principalType: one.principalType
      roleDefinitionId: subscriptionResourceId(
        'Microsoft.Authorization/roleDefinitions',
        roleIds.keyVaultSecretsOfficer
      )
      description: 'Who deploys makes, rotates and reads the API key, which the trial mission of a deployment is sent with.'
    }
  }
]

resource groupReader 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (one, index) in deployers: if (one.readsGroup && !skipped[index]) {
    name: guid(resourceGroup().id, one.principalId, roleIds.reader)
    properties: {
      principalId: one.principalId
      principalType: one.principalType
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.reader)
      description: 'Finds what the template has made, its state, metrics and logs; reads no data and no secret.'
    }
  }
]
