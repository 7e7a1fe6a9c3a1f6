import { roleIds } from 'role-ids.bicep'
import { Deployer } from 'types.bicep'

@description('Who deploys.')
param deployers Deployer[]

@description('The function app.')
param appName string

@description('The migrator.')
param migratorName string

// Nobody, and who is in the list already: the deployer may be who runs the template, and Azure refuses an assignment that is there twice.
var principals = map(deployers, one => toLower(one.principalId))
var skipped = map(
  range(0, length(principals)),
  index => contains(concat([''], take(principals, index)), principals[index])
)

resource app 'Microsoft.Web/sites@2025-03-01' existing = { name: appName }

resource migrator 'Microsoft.Web/sites@2025-03-01' existing = { name: migratorName }

resource appDeployers 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (one, index) in deployers: if (!skipped[index]) {
    scope: app
    name: guid(app.id, one.principalId, roleIds.websiteContributor)
    properties: {
      principalId: one.principalId
      principalType: one.principalType
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.websiteContributor)
      description: 'Publishes packages, and starts and stops the app.'
    }
  }
]

resource migratorDeployers 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (one, index) in deployers: if (!skipped[index]) {
    scope: migrator
    name: guid(migrator.id, one.principalId, roleIds.websiteContributor)
    properties: {
      principalId: one.principalId
      principalType: one.principalType
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.websiteContributor)
      description: 'Publishes packages, and reads the key of the migrator.'
    }
  }
]
