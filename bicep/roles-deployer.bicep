import { roleIds } from 'role-ids.bicep'
import { Identity } from 'types.bicep'

@description('Publishes packages.')
param deployer Identity

@description('The function apps.')
param siteNames string[]

resource sites 'Microsoft.Web/sites@2025-03-01' existing = [for name in siteNames: { name: name }]

resource deployerSites 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (name, index) in siteNames: {
    scope: sites[index]
    name: guid(sites[index].id, deployer.principalId, roleIds.websiteContributor)
    properties: {
      principalId: deployer.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.websiteContributor)
      description: 'Publishes packages and reads the key of the migrator.'
    }
  }
]
