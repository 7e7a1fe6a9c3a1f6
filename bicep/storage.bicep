import { asAddressRules } from 'addresses.bicep'
import { StorageEndpoints, Tags } from 'types.bicep'

@description('Where.')
param location string

@description('Tags.')
param tags Tags

@minLength(3)
@maxLength(24)
@description('Name of the account.')
param name string

@description('Replication.')
param sku 'Standard_LRS' | 'Standard_ZRS' | 'Standard_GRS' | 'Standard_GZRS'

@description('Containers that come with it.')
param containerNames string[]

@description('Queues that come with it.')
param queueNames string[]

@description('Container that gets a policy by which nobody can change or remove its blobs for immutableDays; empty: none does.')
param immutableContainer string = ''

@description('Days.')
param immutableDays int = 1

@description('Earlier versions of blobs are kept.')
param versioning bool

@description('Reached through private endpoints only, and from allowedAddresses.')
param privateNetwork bool

@description('Addresses of the internet that are let in all the same, each an address or a range.')
param allowedAddresses string[]

@description('Cannot be deleted.')
param lock bool

@description('What reads and writes of blobs are logged.')
param blobLogs string[]

@description('Where diagnostics go.')
param workspaceId string

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: sku }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: privateNetwork && empty(allowedAddresses) ? 'Disabled' : 'Enabled'
    networkAcls: {
      bypass: 'None'
      defaultAction: privateNetwork ? 'Deny' : 'Allow'
      ipRules: [for address in asAddressRules(allowedAddresses): { action: 'Allow', value: address }]
    }
    encryption: {
      keySource: 'Microsoft.Storage'
      requireInfrastructureEncryption: true
      services: { blob: { enabled: true, keyType: 'Account' }, file: { enabled: true, keyType: 'Account' } }
    }
  }

  resource blobs 'blobServices' = {
    name: 'default'
    properties: {
      isVersioningEnabled: versioning
      deleteRetentionPolicy: { enabled: true, days: 14 }
      containerDeleteRetentionPolicy: { enabled: true, days: 14 }
    }

    resource containers 'containers' = [
      for container in containerNames: {
        name: container
        properties: { publicAccess: 'None' }
      }
    ]
  }

  resource queues 'queueServices' = {
    name: 'default'

    resource all 'queues' = [for queue in queueNames: { name: queue }]
  }

  resource tables 'tableServices' = { name: 'default' }

  resource lifecycle 'managementPolicies' = {
    name: 'default'
    properties: {
      policy: {
        rules: [
          {
            name: 'drop-old-versions'
            type: 'Lifecycle'
            enabled: true
            definition: {
              actions: {
                version: { delete: { daysAfterCreationGreaterThan: 60 } }
                snapshot: { delete: { daysAfterCreationGreaterThan: 60 } }
              }
              filters: { blobTypes: ['blockBlob'] }
            }
          }
        ]
      }
    }
    dependsOn: [blobs]
  }
}

// Unlocked, so that it can still be changed here; docs/decisions/0007 says when to lock it, from when on it is not written any more.
resource immutability 'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies@2025-06-01' = if (!empty(immutableContainer)) {
  name: '${account.name}/default/${immutableContainer}/default'
  properties: { immutabilityPeriodSinceCreationInDays: immutableDays, allowProtectedAppendWrites: false }
  dependsOn: [account::blobs::containers]
}

resource deletionLock 'Microsoft.Authorization/locks@2020-05-01' = if (lock) {
  scope: account
  name: 'keep'
  properties: { level: 'CanNotDelete', notes: 'Holds backups and the claims of calls that act once.' }
}

resource accountDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: account
  name: 'to-workspace'
  properties: { workspaceId: workspaceId, metrics: [{ category: 'Transaction', enabled: true }] }
}

resource blobDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: account::blobs
  name: 'to-workspace'
  properties: {
    workspaceId: workspaceId
    logs: [for category in blobLogs: { category: category, enabled: true }]
    metrics: [{ category: 'Transaction', enabled: true }]
  }
}

// Every instance asks its queue every other second: logs of these reads would cost more than the queue.
resource queueDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: account::queues
  name: 'to-workspace'
  properties: { workspaceId: workspaceId, metrics: [{ category: 'Transaction', enabled: true }] }
}

resource tableDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: account::tables
  name: 'to-workspace'
  properties: { workspaceId: workspaceId, metrics: [{ category: 'Transaction', enabled: true }] }
}

@description('Resource id.')
output id string = account.id

@description('Name.')
output name string = account.name

@description('Addresses of its services.')
output endpoints StorageEndpoints = {
  blob: account.properties.primaryEndpoints.blob
  queue: account.properties.primaryEndpoints.queue
  table: account.properties.primaryEndpoints.table
}
