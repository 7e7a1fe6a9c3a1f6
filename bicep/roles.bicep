import { roleIds } from 'role-ids.bicep'
import { Identity } from 'types.bicep'

@description('The function app.')
param app Identity

@description('The store of backups.')
param backup Identity

@description('The migrator.')
param migrator Identity

@description('Account of the app\'s host.')
param hostStorageName string

@description('Account of the migrator\'s host.')
param migratorStorageName string

@description('Account of queues, claims and backups.')
param dataStorageName string

@description('Vault.')
param vaultName string

@description('Whether the vault has the key of backups.')
param backupKey bool

@description('Application Insights.')
param insightsName string

resource hostStorage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = { name: hostStorageName }

resource migratorStorage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = { name: migratorStorageName }

resource dataStorage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: dataStorageName

  resource blobs 'blobServices' existing = {
    name: 'default'

    resource effects 'containers' existing = { name: 'effects' }

    resource backups 'containers' existing = { name: 'backups' }
  }
}

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' existing = {
  name: vaultName

  resource backups 'keys' existing = { name: 'backups' }
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = { name: insightsName }

// The host of either app leases blobs, keeps its keys and timers in its account, and reads the app's package. Neither app has a right on
// the other's.
var hostRoles = [roleIds.storageBlobDataOwner, roleIds.storageQueueDataContributor, roleIds.storageTableDataContributor]

resource appHost 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in hostRoles: {
    scope: hostStorage
    name: guid(hostStorage.id, app.principalId, role)
    properties: {
      principalId: app.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
      description: 'The Functions host keeps leases, timers, keys, receipts and events there.'
    }
  }
]

resource migratorHost 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in hostRoles: {
    scope: migratorStorage
    name: guid(migratorStorage.id, migrator.principalId, role)
    properties: {
      principalId: migrator.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
      description: 'The Functions host of the migrator keeps leases, keys and events there.'
    }
  }
]

resource appQueues 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: dataStorage
  name: guid(dataStorage.id, app.principalId, roleIds.storageQueueDataContributor)
  properties: {
    principalId: app.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roleIds.storageQueueDataContributor
    )
    description: 'Sends and takes wakes, and puts poisoned ones aside; the account has no other queues.'
  }
}

resource appEffects 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: dataStorage::blobs::effects
  name: guid(dataStorage::blobs::effects.id, app.principalId, roleIds.storageBlobDataContributor)
  properties: {
    principalId: app.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roleIds.storageBlobDataContributor
    )
    description: 'Claims calls that act once.'
  }
}

resource backupBackups 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: dataStorage::blobs::backups
  name: guid(dataStorage::blobs::backups.id, backup.principalId, roleIds.storageBlobDataContributor)
  properties: {
    principalId: backup.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roleIds.storageBlobDataContributor
    )
    description: 'Writes, reads and prunes backups; the identity that serves missions cannot.'
  }
}

resource appSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: vault
  name: guid(vault.id, app.principalId, roleIds.keyVaultSecretsUser)
  properties: {
    principalId: app.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.keyVaultSecretsUser)
    description: 'Reads the API key, the only secret of the vault, which no template makes.'
  }
}

resource appBackupKey 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (backupKey) {
  scope: vault::backups
  name: guid(vault::backups.id, app.principalId, roleIds.keyVaultCryptoServiceEncryptionUser)
  properties: {
    principalId: app.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roleIds.keyVaultCryptoServiceEncryptionUser
    )
    description: 'Finds the newest version of the key, wraps and unwraps the keys of backups, and nothing else.'
  }
}

resource appMetrics 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: insights
  name: guid(insights.id, app.principalId, roleIds.monitoringMetricsPublisher)
  properties: {
    principalId: app.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roleIds.monitoringMetricsPublisher
    )
    description: 'Sends its telemetry.'
  }
}

resource migratorMetrics 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: insights
  name: guid(insights.id, migrator.principalId, roleIds.monitoringMetricsPublisher)
  properties: {
    principalId: migrator.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roleIds.monitoringMetricsPublisher
    )
    description: 'Sends its telemetry.'
  }
}
