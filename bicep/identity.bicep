import { Identity, Tags } from 'types.bicep'

@description('Where.')
param location string

@description('Tags.')
param tags Tags

@description('Name of the environment.')
param environmentName string

@description('Subject of a token of GitHub Actions, such as repo:ORG/REPO:environment:staging, that may act as the deployer. Empty: nobody outside Azure may.')
param deployerSubject string

resource app 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-taskforce-${environmentName}-app'
  location: location
  tags: tags
}

resource backup 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-taskforce-${environmentName}-backup'
  location: location
  tags: tags
}

resource migrator 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-taskforce-${environmentName}-migrator'
  location: location
  tags: tags
}

resource deployer 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-taskforce-${environmentName}-deployer'
  location: location
  tags: tags

  resource github 'federatedIdentityCredentials' = if (!empty(deployerSubject)) {
    name: 'github'
    properties: {
      issuer: 'https://token.actions.githubusercontent.com'
      subject: deployerSubject
      audiences: ['api://AzureADTokenExchange']
    }
  }
}

@description('The function app: API and engine.')
output app Identity = {
  id: app.id
  name: app.name
  clientId: app.properties.clientId
  principalId: app.properties.principalId
}

@description('Reads and writes the store of backups.')
output backup Identity = {
  id: backup.id
  name: backup.name
  clientId: backup.properties.clientId
  principalId: backup.properties.principalId
}

@description('Owns the schema.')
output migrator Identity = {
  id: migrator.id
  name: migrator.name
  clientId: migrator.properties.clientId
  principalId: migrator.properties.principalId
}

@description('Publishes packages.')
output deployer Identity = {
  id: deployer.id
  name: deployer.name
  clientId: deployer.properties.clientId
  principalId: deployer.properties.principalId
}
