import { AppSettings, Identity, Shape, StorageEndpoints, Tags } from 'types.bicep'

@description('Where.')
param location string

@description('Tags.')
param tags Tags

@description('Name.')
param name string

@description('Whom it acts as.')
param identity Identity

@description('Whom it acts as at the store of backups.')
param backupIdentity Identity

@description('Addresses of the host\'s storage account.')
param hostStorage StorageEndpoints

@description('Addresses of the account of queues, claims and backups.')
param dataStorage StorageEndpoints

@description('Address and key of Application Insights; no secret.')
param insightsConnectionString string

@description('Host name of Postgres.')
param postgresHost string

@description('Database.')
param databaseName string

@description('Connect through PgBouncer.')
param pooler bool

@description('Address of Azure OpenAI.')
param openAiEndpoint string

@description('Deployment of profiles that name no model.')
param openAiDeployment string

@description('Address of Azure AI Search, where there is an index to read.')
param searchEndpoint string

@description('Index that the agent reads; empty: none.')
param searchIndex string

@description('Address of the secret that is the API key, in the vault.')
param apiKeySecretUri string

@description('Whether backups are encrypted.')
param encryptBackups bool

@description('Address of the key that they are encrypted with.')
param backupKeyUrl string

@description('Second container for backups; empty: none. Without a signature: the backup identity signs in there.')
param backupOffsiteUrl string

@description('Agent profile of missions that name none.')
param profile string

@description('Further settings, which win.')
param extraSettings AppSettings

@description('Size and scale.')
param shape Shape.functionApp

@description('Whether it is reached from the internet.')
param isPublic bool

@description('Addresses of the internet that are let in where it is not public.')
param allowedAddresses string[]

@description('Resource id of its subnet; empty: none.')
param subnetId string

@description('Origins whose pages may call it.')
param corsOrigins string[]

@description('Host name of its own; empty: none.')
param customDomain string

@description('Thumbprint of the certificate of that name, which is in the app already; empty: bound without one for now.')
param certificateThumbprint string

@description('Where diagnostics go.')
param workspaceId string

// Watchers of missions hold a request each for up to 200 s, and cost memory rather than processor.
var httpConcurrency = 500

var server = 'postgresql://${identity.name}@${postgresHost}'
var query = '${databaseName}?sslmode=verify-full'
var database = pooler
  ? {
      DATABASE_URL: '${server}:6432/${query}'
      DATABASE_DIRECT_URL: '${server}:5432/${query}'
      DATABASE_POOLER: 'transaction'
    }
  : { DATABASE_URL: '${server}:5432/${query}' }

var search = empty(searchIndex) ? {} : { AZURE_SEARCH_ENDPOINT: searchEndpoint, AZURE_SEARCH_INDEX: searchIndex }

var settings = union(
  database,
  search,
  encryptBackups ? { BACKUP_KEY_URL: backupKeyUrl } : {},
  empty(backupOffsiteUrl) ? {} : { BACKUP_OFFSITE_URL: backupOffsiteUrl },
  {
    AUTH: 'keys'
    AZURE_OPENAI_DEPLOYMENT: openAiDeployment
    AZURE_OPENAI_ENDPOINT: openAiEndpoint
    BACKUP_CLIENT_ID: backupIdentity.clientId
    BACKUP_CONTAINER: 'backups'
    DATABASE_AUTH: 'entra'
    JOBS_STORAGE__blobServiceUri: dataStorage.blob
    JOBS_STORAGE__clientId: identity.clientId
    JOBS_STORAGE__credential: 'managedidentity'
    JOBS_STORAGE__queueServiceUri: dataStorage.queue
    LOG_LEVEL: 'info'
    PROFILE: profile
    TASKFORCE_API_KEY: '@Microsoft.KeyVault(SecretUri=${apiKeySecretUri})'
  },
  extraSettings
)

module flexApp 'flex-app.bicep' = {
  params: {
    location: location
    tags: tags
    name: name
    serviceName: 'api'
    identity: identity
    furtherIdentityIds: [backupIdentity.id]
    hostStorage: hostStorage
    packageContainer: 'package-app'
    insightsConnectionString: insightsConnectionString
    appSettings: settings
    shape: shape
    httpConcurrency: httpConcurrency
    isPublic: isPublic
    allowedAddresses: allowedAddresses
    subnetId: subnetId
    corsOrigins: corsOrigins
    workspaceId: workspaceId
  }
}

resource hostName 'Microsoft.Web/sites/hostNameBindings@2025-03-01' = if (!empty(customDomain)) {
  name: '${name}/${empty(customDomain) ? 'none' : customDomain}'
  properties: {
    siteName: name
    hostNameType: 'Verified'
    sslState: empty(certificateThumbprint) ? 'Disabled' : 'SniEnabled'
    thumbprint: empty(certificateThumbprint) ? null : certificateThumbprint
  }
  dependsOn: [flexApp]
}

@description('Resource id.')
output id string = flexApp.outputs.id

@description('Name.')
output name string = flexApp.outputs.name

// Without its certificate the name of its own answers nobody who looks at certificates.
var answersByOwnName = !empty(customDomain) && !empty(certificateThumbprint)

@description('Address.')
output url string = 'https://${answersByOwnName ? customDomain : flexApp.outputs.host}'
