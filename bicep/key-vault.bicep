import { asAddressRules } from 'addresses.bicep'
import { Tags } from 'types.bicep'

@description('Where.')
param location string

@description('Tags.')
param tags Tags

@minLength(3)
@maxLength(24)
@description('Name.')
param name string

@description('Reached through a private endpoint only, and from allowedAddresses.')
param privateNetwork bool

@description('Addresses of the internet that are let in all the same, each an address or a range.')
param allowedAddresses string[]

@description('Make the key that backups are encrypted with.')
param backupKey bool

@description('It was deleted, and is taken back with its keys and secrets.')
param recoverDeleted bool

@description('Cannot be deleted.')
param lock bool

@description('Where diagnostics go.')
param workspaceId string

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    createMode: recoverDeleted ? 'recover' : 'default'
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enablePurgeProtection: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    publicNetworkAccess: privateNetwork && empty(allowedAddresses) ? 'disabled' : 'enabled'
    networkAcls: {
      bypass: 'None'
      defaultAction: privateNetwork ? 'Deny' : 'Allow'
      ipRules: [for address in asAddressRules(allowedAddresses): { value: address }]
    }
  }

  // Never rotated by itself: what an old version encrypted would need it for as long as that backup lives.
  resource backups 'keys' = if (backupKey) {
    name: 'backups'
    properties: { kty: 'RSA', keySize: 3072, keyOps: ['wrapKey', 'unwrapKey'], attributes: { enabled: true } }
  }
}

resource deletionLock 'Microsoft.Authorization/locks@2020-05-01' = if (lock) {
  scope: vault
  name: 'keep'
  properties: { level: 'CanNotDelete', notes: 'Without its key no encrypted backup can be read.' }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: vault
  name: 'to-workspace'
  properties: {
    workspaceId: workspaceId
    logs: [
      { categoryGroup: 'audit', enabled: true }
      { categoryGroup: 'allLogs', enabled: true }
    ]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

@description('Resource id.')
output id string = vault.id

@description('Name.')
output name string = vault.name

@description('Address, with a slash at its end.')
output uri string = vault.properties.vaultUri
