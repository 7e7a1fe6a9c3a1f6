import { Identity, StorageEndpoints, Tags } from 'types.bicep'

@description('Where.')
param location string

@description('Tags.')
param tags Tags

@description('Name.')
param name string

@description('Whom it acts as: owner of the schema.')
param identity Identity

@description('The app\'s identity, which it lets sign in to Postgres.')
param app Identity

@description('Addresses of the host\'s storage account.')
param hostStorage StorageEndpoints

@description('Address and key of Application Insights; no secret.')
param insightsConnectionString string

@description('Host name of Postgres.')
param postgresHost string

@description('Database.')
param databaseName string

@description('Instances in several availability zones.')
param zoneRedundant bool

@description('Whether it is reached from the internet, where it takes its key.')
param isPublic bool

@description('Addresses of the internet that are let in where it is not public.')
param allowedAddresses string[]

@description('Resource id of its subnet; empty: none.')
param subnetId string

@description('Where diagnostics go.')
param workspaceId string

module flexApp 'flex-app.bicep' = {
  params: {
    location: location
    tags: tags
    name: name
    serviceName: 'migrator'
    identity: identity
    hostStorage: hostStorage
    packageContainer: 'package-migrator'
    insightsConnectionString: insightsConnectionString
    appSettings: {
      APP_LOGIN_NAME: app.name
      APP_LOGIN_PRINCIPAL_ID: app.principalId
      APP_ROLE: 'migrator'
      DATABASE_AUTH: 'entra'
      DATABASE_URL: 'postgresql://${identity.name}@${postgresHost}:5432/${databaseName}?sslmode=verify-full'
      LOG_LEVEL: 'info'
    }
    shape: {
      instanceMemoryMB: 2048
      maximumInstanceCount: 40
      alwaysReady: []
      zoneRedundant: zoneRedundant
      updateStrategy: 'Recreate'
    }
    // Migrations wait for each other anyway, and connections.bicep counts one.
    httpConcurrency: 1
    isPublic: isPublic
    allowedAddresses: allowedAddresses
    subnetId: subnetId
    corsOrigins: []
    workspaceId: workspaceId
  }
}

@description('Resource id.')
output id string = flexApp.outputs.id

@description('Name.')
output name string = flexApp.outputs.name

@description('Address.')
output url string = 'https://${flexApp.outputs.host}'
