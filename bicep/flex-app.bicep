import { asRange } from 'addresses.bicep'
import { AlwaysReady, AppSettings, Identity, Shape, StorageEndpoints, Tags } from 'types.bicep'

@description('Where.')
param location string

@description('Tags.')
param tags Tags

@description('Name of the app; its plan is called alike.')
param name string

@description('Service of azure.yaml that azd deploys to it.')
param serviceName string

@description('Whom it acts as.')
param identity Identity

@description('Resource ids of further identities that its code takes up.')
param furtherIdentityIds string[] = []

@description('Addresses of the host\'s storage account, which no other app may have a right on: the host owns what is in it.')
param hostStorage StorageEndpoints

@description('Container of the package in it.')
param packageContainer string

@description('Address and key of Application Insights; no secret.')
param insightsConnectionString string

@description('Settings beside the host\'s own.')
param appSettings AppSettings

@description('Size and scale.')
param shape Shape.functionApp

@minValue(1)
@maxValue(1000)
@description('Requests that one instance takes at a time.')
param httpConcurrency int

@description('Whether it is reached from the internet.')
param isPublic bool

@description('Addresses of the internet that are let in where it is not public, each a range.')
param allowedAddresses string[]

@description('Resource id of its subnet; empty: none.')
param subnetId string

@description('Origins whose pages may call it.')
param corsOrigins string[]

@description('Where diagnostics go.')
param workspaceId string

var fewestWhenZoneRedundant = 2
var alwaysReady AlwaysReady[] = map(
  shape.alwaysReady,
  one =>
    shape.zoneRedundant && one.instanceCount < fewestWhenZoneRedundant
      ? fail('${one.name}: a zone-redundant plan needs at least 2 always-ready instances of each kind')
      : one
)

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: 'plan-${name}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true, zoneRedundant: shape.zoneRedundant }
}

resource site 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': serviceName })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: toObject(concat([identity.id], furtherIdentityIds), id => id, id => {})
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    clientAffinityEnabled: false
    publicNetworkAccess: isPublic || !empty(allowedAddresses) ? 'Enabled' : 'Disabled'
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    outboundVnetRouting: empty(subnetId) ? null : { allTraffic: true }
    keyVaultReferenceIdentity: identity.id
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      http20Enabled: true
      remoteDebuggingEnabled: false
      cors: { allowedOrigins: corsOrigins, supportCredentials: false }
      ipSecurityRestrictionsDefaultAction: isPublic ? 'Allow' : 'Deny'
      scmIpSecurityRestrictionsUseMain: true
      ipSecurityRestrictions: [
        for (address, index) in isPublic ? [] : allowedAddresses: {
          name: 'allowed-${index}'
          action: 'Allow'
          priority: 100 + index
          ipAddress: asRange(address)
        }
      ]
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${hostStorage.blob}${packageContainer}'
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identity.id }
        }
      }
      runtime: { name: 'node', version: '24' }
      scaleAndConcurrency: {
        instanceMemoryMB: shape.instanceMemoryMB
        maximumInstanceCount: shape.maximumInstanceCount
        alwaysReady: alwaysReady
        triggers: { http: { perInstanceConcurrency: httpConcurrency } }
      }
      #disable-next-line BCP037 // A preview that the types of 2025-03-01, the newest there are, don't have.
      siteUpdateStrategy: { type: shape.updateStrategy }
    }
  }

  // Passwords of publishing: nobody has one.
  resource ftp 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: { allow: false }
  }

  resource scm 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
    dependsOn: [ftp]
  }
}

resource settings 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: site
  name: 'appsettings'
  properties: union(appSettings, {
    AzureWebJobsStorage__credential: 'managedidentity'
    AzureWebJobsStorage__clientId: identity.clientId
    AzureWebJobsStorage__blobServiceUri: hostStorage.blob
    AzureWebJobsStorage__queueServiceUri: hostStorage.queue
    AzureWebJobsStorage__tableServiceUri: hostStorage.table
    APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnectionString
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identity.clientId};Authorization=AAD'
    AZURE_CLIENT_ID: identity.clientId
  })
}

resource siteDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: site
  name: 'to-workspace'
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'FunctionAppLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

resource planDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: plan
  name: 'to-workspace'
  properties: { workspaceId: workspaceId, metrics: [{ category: 'AllMetrics', enabled: true }] }
}

@description('Resource id.')
output id string = site.id

@description('Name.')
output name string = site.name

@description('Host name.')
output host string = site.properties.defaultHostName
