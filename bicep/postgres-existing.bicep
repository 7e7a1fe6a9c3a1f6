import { asRange, firewallRuleName } from 'addresses.bicep'
import { roleIds } from 'role-ids.bicep'
import { Identity } from 'types.bicep'

@description('Name of the server, perhaps another group\'s.')
param name string

@description('Addresses of the internet that are let in, each an address or a range; 0.0.0.0: all of Azure\'s own.')
param openings string[]

@description('Owns the schema.')
param migrator Identity

@description('Object id of the group of people on call; empty: none.')
param operatorGroupId string

resource server 'Microsoft.DBforPostgreSQL/flexibleServers@2025-08-01' existing = { name: name }

// Written one after another: the server answers ServerIsBusy to two at once.
@batchSize(1)
resource firewall 'Microsoft.DBforPostgreSQL/flexibleServers/firewallRules@2025-08-01' = [
  for address in openings: {
    parent: server
    name: firewallRuleName(address)
    properties: {
      startIpAddress: parseCidr(asRange(address)).network
      endIpAddress: parseCidr(asRange(address)).broadcast
    }
  }
]

resource migratorAdministrator 'Microsoft.DBforPostgreSQL/flexibleServers/administrators@2025-08-01' = {
  parent: server
  name: migrator.principalId
  properties: { principalName: migrator.name, principalType: 'ServicePrincipal', tenantId: tenant().tenantId }
  dependsOn: [firewall]
}

resource groupMetrics 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(operatorGroupId)) {
  scope: server
  name: guid(server.id, operatorGroupId, roleIds.monitoringReader)
  properties: {
    principalId: operatorGroupId
    principalType: 'Group'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.monitoringReader)
    description: 'Who is on call reads its metrics.'
  }
}

@description('Host name; never the one of the private endpoint, which the certificate does not have.')
output host string = server.properties.fullyQualifiedDomainName
