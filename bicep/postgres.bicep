import { asRange, firewallRuleName } from 'addresses.bicep'
import { poolerClients, poolerSize } from 'connections.bicep'
import { Administrator, Identity, Shape, Tags } from 'types.bicep'

@description('Where.')
param location string

@description('Tags.')
param tags Tags

@description('Name of the server.')
param name string

@description('Name of the database.')
param databaseName string

@description('Size and safety.')
param shape Shape.postgres

@description('Reached through a private endpoint only.')
param privateNetwork bool

@description('Addresses of the internet that are let in, each an address or a range; 0.0.0.0: all of Azure\'s own.')
param openings string[]

@description('Owns the schema.')
param migrator Identity

@description('People and groups who administer the server.')
param administrators Administrator[]

@description('Cannot be deleted.')
param lock bool

@description('Where diagnostics go.')
param workspaceId string

resource server 'Microsoft.DBforPostgreSQL/flexibleServers@2025-08-01' = {
  name: name
  location: location
  tags: tags
  sku: { name: shape.skuName, tier: shape.tier }
  properties: {
    version: '17'
    authConfig: { activeDirectoryAuth: 'Enabled', passwordAuth: 'Disabled', tenantId: tenant().tenantId }
    storage: { storageSizeGB: shape.storageSizeGB, autoGrow: 'Enabled' }
    backup: {
      backupRetentionDays: shape.backupRetentionDays
      geoRedundantBackup: shape.geoRedundantBackup ? 'Enabled' : 'Disabled'
    }
    highAvailability: { mode: shape.highAvailability ? 'ZoneRedundant' : 'Disabled' }
    network: { publicNetworkAccess: privateNetwork ? 'Disabled' : 'Enabled' }
    // Sunday 02:00 UTC.
    maintenanceWindow: { customWindow: 'Enabled', dayOfWeek: 0, startHour: 2, startMinute: 0 }
  }
}

// Everything below the server is written one after another: it answers ServerIsBusy to two at once.
resource database 'Microsoft.DBforPostgreSQL/flexibleServers/databases@2025-08-01' = {
  parent: server
  name: databaseName
  properties: { charset: 'UTF8', collation: 'en_US.utf8' }
}

@batchSize(1)
resource firewall 'Microsoft.DBforPostgreSQL/flexibleServers/firewallRules@2025-08-01' = [
  for address in openings: {
    parent: server
    name: firewallRuleName(address)
    properties: {
      startIpAddress: parseCidr(asRange(address)).network
      endIpAddress: parseCidr(asRange(address)).broadcast
    }
    dependsOn: [database]
  }
]

var poolerConfiguration = [
  { name: 'pgbouncer.enabled', value: 'true' }
  { name: 'pgbouncer.pool_mode', value: 'transaction' }
  { name: 'pgbouncer.default_pool_size', value: string(poolerSize) }
  { name: 'pgbouncer.max_client_conn', value: string(poolerClients) }
]

var configuration = concat(
  [
    { name: 'require_secure_transport', value: 'ON' }
    { name: 'ssl_min_protocol_version', value: 'TLSv1.2' }
    { name: 'log_checkpoints', value: 'ON' }
    { name: 'log_lock_waits', value: 'ON' }
    { name: 'log_min_duration_statement', value: '1000' }
    // Parameters are tenants' texts, which are nobody's to read in a workspace: slow and failed statements are logged without.
    { name: 'log_parameter_max_length', value: '0' }
    { name: 'log_parameter_max_length_on_error', value: '0' }
  ],
  shape.pooler ? poolerConfiguration : []
)

@batchSize(1)
resource configurations 'Microsoft.DBforPostgreSQL/flexibleServers/configurations@2025-08-01' = [
  for one in configuration: {
    parent: server
    name: one.name
    properties: { value: one.value, source: 'user-override' }
    dependsOn: [database, firewall]
  }
]

resource migratorAdministrator 'Microsoft.DBforPostgreSQL/flexibleServers/administrators@2025-08-01' = {
  parent: server
  name: migrator.principalId
  properties: { principalName: migrator.name, principalType: 'ServicePrincipal', tenantId: tenant().tenantId }
  dependsOn: [configurations]
}

@batchSize(1)
resource people 'Microsoft.DBforPostgreSQL/flexibleServers/administrators@2025-08-01' = [
  for one in administrators: {
    parent: server
    name: one.objectId
    properties: { principalName: one.name, principalType: one.type, tenantId: tenant().tenantId }
    dependsOn: [migratorAdministrator]
  }
]

resource threatProtection 'Microsoft.DBforPostgreSQL/flexibleServers/advancedThreatProtectionSettings@2025-08-01' = {
  parent: server
  name: 'Default'
  properties: { state: shape.threatProtection ? 'Enabled' : 'Disabled' }
  dependsOn: [migratorAdministrator, people]
}

resource deletionLock 'Microsoft.Authorization/locks@2020-05-01' = if (lock) {
  scope: server
  name: 'keep'
  properties: { level: 'CanNotDelete', notes: 'Holds every mission. Its backups go with it.' }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: server
  name: 'to-workspace'
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

@description('Resource id.')
output id string = server.id

@description('Host name; never the one of the private endpoint, which the certificate does not have.')
output host string = server.properties.fullyQualifiedDomainName
