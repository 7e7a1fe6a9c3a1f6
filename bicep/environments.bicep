import { Shape } from 'types.bicep'

var dev Shape = {
  name: 'dev'
  profile: 'dev'
  privateNetwork: false
  publicApi: true
  functionApp: {
    instanceMemoryMB: 2048
    maximumInstanceCount: 40
    alwaysReady: []
    zoneRedundant: false
    updateStrategy: 'Recreate'
  }
  postgres: {
    skuName: 'Standard_B2ms'
    tier: 'Burstable'
    storageSizeGB: 32
    highAvailability: false
    backupRetentionDays: 7
    geoRedundantBackup: false
    pooler: false
    threatProtection: false
  }
  storage: {
    hostSku: 'Standard_LRS'
    dataSku: 'Standard_LRS'
    backupImmutabilityDays: 1
    backupImmutabilityLocked: false
  }
  encryptBackups: false
  search: { sku: 'basic', replicaCount: 1 }
  logs: { retentionDays: 30, dailyQuotaGb: 1 }
  locks: false
  alerts: false
  budget: 150
}

var staging Shape = {
  name: 'staging'
  profile: 'staging'
  // Production's network, or else a rehearsal proves nothing about it.
  privateNetwork: true
  publicApi: true
  functionApp: {
    instanceMemoryMB: 2048
    maximumInstanceCount: 40
    alwaysReady: []
    zoneRedundant: false
    updateStrategy: 'Recreate'
  }
  postgres: {
    skuName: 'Standard_D2ds_v5'
    tier: 'GeneralPurpose'
    storageSizeGB: 64
    highAvailability: false
    backupRetentionDays: 14
    geoRedundantBackup: false
    pooler: false
    threatProtection: false
  }
  storage: {
    hostSku: 'Standard_LRS'
    dataSku: 'Standard_ZRS'
    backupImmutabilityDays: 7
    backupImmutabilityLocked: false
  }
  encryptBackups: true
  search: { sku: 'basic', replicaCount: 1 }
  logs: { retentionDays: 30, dailyQuotaGb: 5 }
  locks: false
  alerts: false
  budget: 600
}

var production Shape = {
  name: 'production'
  profile: 'production'
  privateNetwork: true
  publicApi: false
  functionApp: {
    instanceMemoryMB: 2048
    maximumInstanceCount: 40
    // The sweep is what nothing else replaces, and timers of instances that sleep have been missed.
    alwaysReady: [
      { name: 'http', instanceCount: 2 }
      { name: 'function:run-mission', instanceCount: 2 }
      { name: 'function:sweep', instanceCount: 2 }
    ]
    zoneRedundant: true
    updateStrategy: 'Recreate'
  }
  postgres: {
    skuName: 'Standard_D4ds_v5'
    tier: 'GeneralPurpose'
    storageSizeGB: 256
    highAvailability: true
    backupRetentionDays: 35
    geoRedundantBackup: true
    pooler: false
    threatProtection: true
  }
  storage: {
    hostSku: 'Standard_ZRS'
    dataSku: 'Standard_GZRS'
    backupImmutabilityDays: 14
    backupImmutabilityLocked: false
  }
  encryptBackups: true
  search: { sku: 'standard', replicaCount: 3 }
  logs: { retentionDays: 90, dailyQuotaGb: -1 }
  locks: true
  alerts: true
  budget: 3000
}

@export()
@description('The environments that ship.')
var environments = { dev: dev, staging: staging, production: production }
