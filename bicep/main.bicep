targetScope = 'subscription'

import {
  directConnections
  maxConnections
  pooledConnections
  poolerClients
  poolerSize
  reservedByAzure
  reservedForPeople
} from 'connections.bicep'
import { Administrator, AppSettings, Existing, ExtraSubnet, ModelDeployment, Shape, Tags, Values } from 'types.bicep'

@minLength(1)
@maxLength(24)
@description('Name of the environment: dev, staging, production, or one of azd.')
param environmentName string

@description('Region of everything but the models.')
param location string = deployment().location

@description('Region of Azure OpenAI, where the models are not in every one.')
param openAiLocation string = location

@description('What the environment costs, and how it is protected.')
param shape Shape

@description('Models; the first is the one of profiles that name none.')
param modelDeployments ModelDeployment[]

@description('Index that search_documents reads; made and filled by whoever owns the documents. A service for it comes with its name, and empty there is none.')
param searchIndex string = ''

@description('What is there already and is used.')
param existing Existing = {}

@description('Resource id of a Postgres Flexible Server that is there, such as one that Azure has restored. Goes before existing.postgres; empty: none.')
param postgresServerId string = ''

@description('GB of our own Postgres where that is more than its shape says: storage grows by itself, and Azure refuses to make it smaller.')
param postgresStorageGB int = 0

@description('Addresses of our network, /16 to /22.')
param networkPrefix string = '10.40.0.0/16'

@description('Resource ids of further networks that resolve the names of our private endpoints: a hub, the one of a VPN or of build machines. Joining them to our network is their owner\'s; private zones that are a hub\'s already are linked there.')
param furtherNetworkIds string[] = []

@description('Further subnets of our own network: one that is added by hand is removed by the next deployment.')
param extraSubnets ExtraSubnet[] = []

@description('Addresses or ranges of the internet that reach storage, vault and apps all the same, and without a network Postgres: of who deploys from outside the network. npm run deploy remembers them: in production too each is an opening that stays until the list is emptied. Azure keeps a firewall rule of Postgres that the template no longer names: what is taken off the list stays there until az postgres flexible-server firewall-rule delete.')
param allowedAddresses string[] = []

@description('Host name of the API; empty: Azure\'s own. Its CNAME and TXT records are there already.')
param customDomain string = ''

@description('Thumbprint of its certificate; empty: bound without one for now, and API_URL is Azure\'s own name.')
param certificateThumbprint string = ''

@description('Origins whose pages may call the API.')
param corsOrigins string[] = []

@description('Second container for backups, https://ACCOUNT.blob.core.windows.net/CONTAINER, in another region; empty: none.')
param backupOffsiteUrl string = ''

@description('Further app settings, such as MISSION_RETENTION_DAYS.')
param extraSettings AppSettings = {}

@description('Who gets alerts and mails about the budget. Beside them only users get mail who are themselves owners of the subscription: Azure sends none to the members of a group, or to a service principal. Where such a user is missing, nobody hears of anything without an address here.')
param alertEmails string[] = []

@description('People and groups who administer Postgres.')
param postgresAdministrators Administrator[] = []

@description('Subject of the token of GitHub Actions that deploys; empty: none does.')
param deployerSubject string = ''

@description('Who runs this, makes the API key and deploys packages.')
param operatorPrincipalId string = deployer().objectId

@description('What that is. CI has a ServicePrincipal.')
param operatorType 'User' | 'Group' | 'ServicePrincipal' = 'User'

@description('Object id of a group of people on call, who get what a night needs: read everything but data, deploy, rotate the API key. Empty: none.')
param operatorGroupId string = ''

@description('Month in which the budget was made, as 2026-12-01. Empty: this one; give it from the second month on, since Azure takes no other for a budget that is there.')
param budgetStart string = ''

@description('The vault and the Azure OpenAI account of these names were deleted, and are taken back with what was in them. For one deployment: Azure refuses it where there is nothing to take back.')
param recoverDeleted bool = false

@description('What the parameter file took from the shell, as it was given: kept for the next deployment, and used for nothing else.')
param fromShell Values = {}

@description('Not to be given.')
param thisMonth string = utcNow('yyyy-MM-01')

@description('Further tags.')
param tags Tags = {}

var allTags = union(tags, { 'azd-env-name': environmentName, product: 'taskforce' })

// Part of names of every kind. The least that all of them take; and those that take no capitals are the same names.
var lowerName = toLower(environmentName)
var oddCharacters = filter(
  map(range(0, length(lowerName)), index => substring(lowerName, index, 1)),
  one => !contains('abcdefghijklmnopqrstuvwxyz0123456789-', one)
)
var checkedName = empty(oddCharacters) && !contains('-${lowerName}-', '--')
  ? lowerName
  : fail('environmentName ${environmentName}: it is part of names of Azure, so letters, digits, and single hyphens between them')
var token = uniqueString(subscription().id, checkedName, location)
var suffix = '${checkedName}-${take(token, 6)}'
var databaseName = 'taskforce'
var apiKeySecret = 'taskforce-api-key'

// --- Which Postgres: our own, one in this directory, or one elsewhere.
var postgresId = empty(postgresServerId) ? existing.?postgres ?? '' : postgresServerId
var postgresElsewhere = empty(postgresId) && existing.?postgresHost != null
var ownPostgres = empty(postgresId) && !postgresElsewhere
var postgresShape = union(shape.postgres, { storageSizeGB: max(shape.postgres.storageSizeGB, postgresStorageGB) })
var postgresParts = split(
  empty(postgresId) ? '${group.id}/providers/Microsoft.DBforPostgreSQL/flexibleServers/none' : postgresId,
  '/'
)
var postgresGroup = length(postgresParts) == 9 && toLower(postgresParts[7]) == 'flexibleservers'
  ? { subscriptionId: postgresParts[2], name: postgresParts[4] }
  : fail('${postgresId} is not the resource id of a Postgres Flexible Server: az postgres flexible-server show --query id')

// --- Connections: refused with the first resource, before anything is made.
var instances = shape.functionApp.maximumInstanceCount
var serverName = postgresElsewhere ? existing.?postgresHost : shape.postgres.skuName
var available = postgresElsewhere
  ? existing.?postgresMaxConnections ?? fail('existing.postgresHost: say how many connections it has, as existing.postgresMaxConnections')
  : maxConnections[?shape.postgres.skuName] ?? fail('connections.bicep does not know ${shape.postgres.skuName}: add its max_connections')
var needed = (shape.postgres.pooler ? poolerSize : pooledConnections(instances)) + directConnections() + reservedByAzure + reservedForPeople
var connectionsFit = needed <= available && (!shape.postgres.pooler || pooledConnections(instances) <= poolerClients)
var checkedLocation = connectionsFit && networkFits && searchFits && !empty(checkedName)
  ? location
  : fail('${serverName} has ${available} connections, and ${instances} instances of each scale group open up to ${needed}: take a larger size, fewer instances, or pooler: true')

// --- The network, and what is reached through it.
var ownNetwork = shape.privateNetwork && existing.?network == null
var ownZones = shape.privateNetwork && existing.?network.?dnsResourceGroupId == null
var othersZones = split(existing.?network.?dnsResourceGroupId ?? '/subscriptions/none/resourceGroups/none', '/')
var networkFits = length(othersZones) != 5 || toLower(othersZones[3]) != 'resourcegroups'
  ? fail('existing.network.dnsResourceGroupId is not the id of a resource group: az group show -n NAME --query id')
  : !ownNetwork && !empty(extraSubnets)
      ? fail('extraSubnets would be ignored: they are for a network of our own, and there is none')
      : !ownZones && !empty(furtherNetworkIds)
          ? fail('furtherNetworkIds would be ignored: they are linked to private zones of our own, and there are none')
          : true
var zones = {
  blob: 'privatelink.blob.${environment().suffixes.storage}'
  queue: 'privatelink.queue.${environment().suffixes.storage}'
  table: 'privatelink.table.${environment().suffixes.storage}'
  postgres: 'privatelink.postgres.database.azure.com'
  vault: 'privatelink.vaultcore.azure.net'
  openAi: 'privatelink.openai.azure.com'
  search: 'privatelink.search.windows.net'
  sites: 'privatelink.azurewebsites.net'
}

resource group 'Microsoft.Resources/resourceGroups@2024-11-01' = {
  name: 'rg-taskforce-${environmentName}'
  location: checkedLocation
  tags: allTags
}

module monitoring 'monitoring.bicep' = {
  scope: group
  params: {
    location: location
    tags: allTags
    suffix: suffix
    logs: shape.logs
    existingWorkspaceId: existing.?logAnalyticsWorkspaceId ?? ''
  }
}

module identity 'identity.bicep' = {
  scope: group
  params: { location: location, tags: allTags, environmentName: environmentName, deployerSubject: deployerSubject }
}

module network 'network.bicep' = if (ownNetwork) {
  scope: group
  params: {
    location: location
    tags: allTags
    suffix: suffix
    addressPrefix: networkPrefix
    extraSubnets: extraSubnets
    workspaceId: monitoring.outputs.workspaceId
  }
}

var functionsSubnetId = existing.?network.?functionsSubnetId ?? network.?outputs.functionsSubnetId ?? ''
var migratorSubnetId = existing.?network.?migratorSubnetId ?? network.?outputs.migratorSubnetId ?? ''
var endpointsSubnetId = existing.?network.?endpointsSubnetId ?? network.?outputs.endpointsSubnetId ?? ''
var zonesGroupId = existing.?network.?dnsResourceGroupId ?? group.id

module privateDns 'private-dns.bicep' = if (ownZones) {
  scope: group
  params: {
    tags: allTags
    // No zone without an endpoint: it would stand in front of names that others have, for nothing.
    zoneNames: map(filter(items(zones), zone => contains(zonesOfEndpoints, zone.key)), zone => zone.value)
    networkId: existing.?network.?id ?? network.?outputs.id ?? ''
    furtherNetworkIds: furtherNetworkIds
  }
}

module hostStorage 'storage.bicep' = {
  scope: group
  params: {
    location: location
    tags: allTags
    name: 'sthost${token}'
    sku: shape.storage.hostSku
    containerNames: ['package-app']
    queueNames: []
    versioning: false
    privateNetwork: shape.privateNetwork
    allowedAddresses: allowedAddresses
    lock: false
    // The host renews leases every few seconds: logs of that would cost more than the account.
    blobLogs: []
    workspaceId: monitoring.outputs.workspaceId
  }
}

// Its own, since a host owns every blob of its account: the app would own the package that migrates, and by it the schema.
module migratorStorage 'storage.bicep' = {
  scope: group
  params: {
    location: location
    tags: allTags
    name: 'stmig${token}'
    sku: shape.storage.hostSku
    containerNames: ['package-migrator']
    queueNames: []
    versioning: false
    privateNetwork: shape.privateNetwork
    allowedAddresses: allowedAddresses
    lock: false
    blobLogs: []
    workspaceId: monitoring.outputs.workspaceId
  }
}

module dataStorage 'storage.bicep' = {
  scope: group
  params: {
    location: location
    tags: allTags
    name: 'stdata${token}'
    sku: shape.storage.dataSku
    containerNames: ['effects', 'backups', 'deployments']
    queueNames: ['missions', 'missions-poison']
    immutableContainer: shape.storage.backupImmutabilityLocked ? '' : 'backups'
    immutableDays: shape.storage.backupImmutabilityDays
    versioning: true
    privateNetwork: shape.privateNetwork
    allowedAddresses: allowedAddresses
    lock: shape.locks
    blobLogs: ['StorageRead', 'StorageWrite', 'StorageDelete']
    workspaceId: monitoring.outputs.workspaceId
  }
}

module vault 'key-vault.bicep' = {
  scope: group
  params: {
    location: location
    tags: allTags
    name: 'kv-tf-${token}'
    privateNetwork: shape.privateNetwork
    allowedAddresses: allowedAddresses
    backupKey: shape.encryptBackups
    recoverDeleted: recoverDeleted
    lock: shape.locks
    workspaceId: monitoring.outputs.workspaceId
  }
}

// 0.0.0.0 is Azure's word for its own services: without a network of its own the app comes from any of their addresses.
var postgresOpenings = shape.privateNetwork ? [] : concat(['0.0.0.0'], allowedAddresses)

module postgres 'postgres.bicep' = if (ownPostgres) {
  scope: group
  params: {
    location: location
    tags: allTags
    name: 'psql-taskforce-${suffix}'
    databaseName: databaseName
    shape: postgresShape
    privateNetwork: shape.privateNetwork
    openings: postgresOpenings
    migrator: identity.outputs.migrator
    administrators: postgresAdministrators
    lock: shape.locks
    workspaceId: monitoring.outputs.workspaceId
  }
}

module existingPostgres 'postgres-existing.bicep' = if (!empty(postgresId)) {
  scope: resourceGroup(postgresGroup.subscriptionId, postgresGroup.name)
  params: {
    name: last(postgresParts)
    openings: postgresOpenings
    migrator: identity.outputs.migrator
    operatorGroupId: operatorGroupId
  }
}

var postgresHost = ownPostgres
  ? postgres!.outputs.host
  : postgresElsewhere ? existing.?postgresHost ?? '' : existingPostgres!.outputs.host

var ownOpenAi = existing.?openAi == null
var openAiName = existing.?openAi.?name ?? 'oai-taskforce-${suffix}'

module openAi 'openai.bicep' = if (ownOpenAi) {
  scope: group
  params: {
    location: openAiLocation
    tags: allTags
    name: openAiName
    modelDeployments: modelDeployments
    recoverDeleted: recoverDeleted
    privateNetwork: shape.privateNetwork
    workspaceId: monitoring.outputs.workspaceId
  }
}

// A service that nobody reads would be paid for, and one of somebody else would be opened, for nothing.
var hasSearch = !empty(searchIndex)
var ownSearch = hasSearch && existing.?search == null
var searchFits = hasSearch || existing.?search == null
  ? true
  : fail('existing.search would be read by nobody: give searchIndex, the name of its index, or leave it out')
var searchName = existing.?search.?name ?? 'srch-taskforce-${suffix}'

module search 'search.bicep' = if (ownSearch) {
  scope: group
  params: {
    location: location
    tags: allTags
    name: searchName
    shape: shape.search
    privateNetwork: shape.privateNetwork
    workspaceId: monitoring.outputs.workspaceId
  }
}

// --- Who may what.
module roles 'roles.bicep' = {
  scope: group
  params: {
    app: identity.outputs.app
    backup: identity.outputs.backup
    migrator: identity.outputs.migrator
    hostStorageName: hostStorage.outputs.name
    migratorStorageName: migratorStorage.outputs.name
    dataStorageName: dataStorage.outputs.name
    vaultName: vault.outputs.name
    backupKey: shape.encryptBackups
    insightsName: monitoring.outputs.insightsName
  }
}

// Who runs this comes last: a principal that is two of them is taken as the first, who has to be given Reader.
var deployers = [
  { principalId: identity.outputs.deployer.principalId, principalType: 'ServicePrincipal', readsGroup: true }
  { principalId: operatorGroupId, principalType: 'Group', readsGroup: true }
  { principalId: operatorPrincipalId, principalType: operatorType, readsGroup: false }
]

module deployRoles 'roles-deploy.bicep' = {
  scope: group
  params: { deployers: deployers, dataStorageName: dataStorage.outputs.name, vaultName: vault.outputs.name }
}

var workspaceParts = split(existing.?logAnalyticsWorkspaceId ?? group.id, '/')

module workspaceRoles 'roles-workspace.bicep' = if (existing.?logAnalyticsWorkspaceId != null && !empty(operatorGroupId)) {
  scope: resourceGroup(workspaceParts[2], workspaceParts[4])
  params: { workspaceName: last(workspaceParts), operatorGroupId: operatorGroupId }
}

module openAiRoles 'roles-openai.bicep' = {
  scope: resourceGroup(existing.?openAi.?resourceGroup ?? group.name)
  params: { accountName: openAiName, app: identity.outputs.app, operatorGroupId: ownOpenAi ? '' : operatorGroupId }
  dependsOn: [openAi]
}

module searchRoles 'roles-search.bicep' = if (hasSearch) {
  scope: resourceGroup(existing.?search.?resourceGroup ?? group.name)
  params: { serviceName: searchName, app: identity.outputs.app, operatorGroupId: ownSearch ? '' : operatorGroupId }
  dependsOn: [search]
}

// --- Private endpoints of what the apps need before they start.
var endpointTargets = {
  hostStorage: hostStorage.outputs.id
  migratorStorage: migratorStorage.outputs.id
  dataStorage: dataStorage.outputs.id
  vault: vault.outputs.id
  postgres: empty(postgresId) ? postgres.?outputs.id ?? '' : postgresId
  openAi: openAi.?outputs.id ?? ''
  search: search.?outputs.id ?? ''
}
var endpointList = concat(
  [
    { target: 'hostStorage', groupId: 'blob', zone: 'blob' }
    { target: 'hostStorage', groupId: 'queue', zone: 'queue' }
    { target: 'hostStorage', groupId: 'table', zone: 'table' }
    { target: 'migratorStorage', groupId: 'blob', zone: 'blob' }
    { target: 'migratorStorage', groupId: 'queue', zone: 'queue' }
    { target: 'migratorStorage', groupId: 'table', zone: 'table' }
    { target: 'dataStorage', groupId: 'blob', zone: 'blob' }
    { target: 'dataStorage', groupId: 'queue', zone: 'queue' }
    { target: 'vault', groupId: 'vault', zone: 'vault' }
  ],
  ownPostgres ? [{ target: 'postgres', groupId: 'postgresqlServer', zone: 'postgres' }] : [],
  // Named by its server: an endpoint cannot be turned to another one. Short: with the longest name of an environment it has 61 of 64 letters.
  empty(postgresId)
    ? []
    : [
        {
          target: 'postgres'
          label: 'pg-${take(uniqueString(postgresId), 6)}'
          groupId: 'postgresqlServer'
          zone: 'postgres'
        }
      ],
  ownOpenAi ? [{ target: 'openAi', groupId: 'account', zone: 'openAi' }] : [],
  ownSearch ? [{ target: 'search', groupId: 'searchService', zone: 'search' }] : []
)

var zonesOfEndpoints = concat(map(endpointList, one => one.zone), ['sites'])

// One after another: several endpoints of one account are writes to that account, and they stand beside each other in the list.
@batchSize(1)
module endpoints 'private-endpoint.bicep' = [
  for one in shape.privateNetwork ? endpointList : []: {
    scope: group
    params: {
      location: location
      tags: allTags
      name: 'pe-${one.?label ?? one.target}-${one.groupId}-${suffix}'
      subnetId: endpointsSubnetId
      targetId: endpointTargets[one.target]
      groupId: one.groupId
      zoneNames: [zones[one.zone]]
      zonesGroupId: zonesGroupId
    }
    dependsOn: [privateDns]
  }
]

// --- The two apps, after what they need: an app that starts before its roles are there keeps the refusal for minutes.
module functionApp 'function-app.bicep' = {
  scope: group
  params: {
    location: location
    tags: allTags
    name: 'func-taskforce-${suffix}'
    identity: identity.outputs.app
    backupIdentity: identity.outputs.backup
    hostStorage: hostStorage.outputs.endpoints
    dataStorage: dataStorage.outputs.endpoints
    insightsConnectionString: monitoring.outputs.connectionString
    postgresHost: postgresHost
    databaseName: databaseName
    pooler: shape.postgres.pooler
    openAiEndpoint: openAiRoles.outputs.endpoint
    openAiDeployment: modelDeployments[0].name
    searchEndpoint: searchRoles.?outputs.endpoint ?? ''
    searchIndex: searchIndex
    apiKeySecretUri: '${vault.outputs.uri}secrets/${apiKeySecret}'
    encryptBackups: shape.encryptBackups
    backupKeyUrl: '${vault.outputs.uri}keys/backups'
    backupOffsiteUrl: backupOffsiteUrl
    profile: shape.profile
    extraSettings: extraSettings
    shape: shape.functionApp
    isPublic: shape.publicApi
    allowedAddresses: allowedAddresses
    subnetId: functionsSubnetId
    corsOrigins: corsOrigins
    customDomain: customDomain
    certificateThumbprint: certificateThumbprint
    workspaceId: monitoring.outputs.workspaceId
  }
  dependsOn: [roles, endpoints]
}

module migrator 'migrator.bicep' = {
  scope: group
  params: {
    location: location
    tags: allTags
    name: 'func-taskforce-migrator-${suffix}'
    identity: identity.outputs.migrator
    app: identity.outputs.app
    hostStorage: migratorStorage.outputs.endpoints
    insightsConnectionString: monitoring.outputs.connectionString
    postgresHost: postgresHost
    databaseName: databaseName
    zoneRedundant: shape.functionApp.zoneRedundant
    // What owns the schema stays inside where there is an inside, whoever may call the API.
    isPublic: !shape.privateNetwork
    allowedAddresses: allowedAddresses
    subnetId: migratorSubnetId
    workspaceId: monitoring.outputs.workspaceId
  }
  dependsOn: [roles, endpoints]
}

module deploySiteRoles 'roles-deploy-sites.bicep' = {
  scope: group
  params: { deployers: deployers, appName: functionApp.outputs.name, migratorName: migrator.outputs.name }
}

var siteTargets = { app: functionApp.outputs.id, migrator: migrator.outputs.id }

module siteEndpoints 'private-endpoint.bicep' = [
  for one in shape.privateNetwork ? ['app', 'migrator'] : []: {
    scope: group
    params: {
      location: location
      tags: allTags
      name: 'pe-${one}-sites-${suffix}'
      subnetId: endpointsSubnetId
      targetId: siteTargets[one]
      groupId: 'sites'
      zoneNames: [zones.sites]
      zonesGroupId: zonesGroupId
    }
    dependsOn: [privateDns]
  }
]

// --- Watching.
module actionGroup 'action-group.bicep' = {
  scope: group
  params: { tags: allTags, suffix: suffix, emails: alertEmails }
}

module alerts 'alerts.bicep' = if (shape.alerts) {
  scope: group
  params: {
    location: location
    tags: allTags
    suffix: suffix
    actionGroupId: actionGroup.outputs.id
    siteId: functionApp.outputs.id
    insightsId: monitoring.outputs.insightsId
    watchPostgres: !postgresElsewhere
    postgresId: endpointTargets.postgres
    watchOpenAi: ownOpenAi
    openAiId: endpointTargets.openAi
    watchSearch: ownSearch
    searchId: endpointTargets.search
    vaultId: vault.outputs.id
    manyConnections: available * 7 / 10
  }
}

module workbook 'workbook.bicep' = {
  scope: group
  params: {
    location: location
    tags: allTags
    environmentName: environmentName
    insightsId: monitoring.outputs.insightsId
  }
}

module budget 'budget.bicep' = if (shape.budget > 0) {
  scope: group
  params: {
    environmentName: environmentName
    amount: shape.budget
    start: empty(budgetStart) ? thisMonth : budgetStart
    emails: alertEmails
    actionGroupId: actionGroup.outputs.id
  }
}

// --- What the commands read. Last, so that it tells of a deployment that succeeded; but for the budget, which nothing runs on and which
// Azure refuses in some kinds of subscriptions.
module outputs 'outputs.bicep' = {
  scope: group
  name: 'taskforce-outputs'
  params: {
    environment: {
      AZURE_ENV_NAME: environmentName
      TASKFORCE_ENVIRONMENT: shape.name
      AZURE_LOCATION: location
      AZURE_TENANT_ID: tenant().tenantId
      AZURE_RESOURCE_GROUP: group.name
      AZURE_FUNCTION_APP_NAME: functionApp.outputs.name
      API_URL: functionApp.outputs.url
      AZURE_MIGRATOR_APP_NAME: migrator.outputs.name
      MIGRATOR_URL: migrator.outputs.url
      AZURE_STORAGE_ACCOUNT: dataStorage.outputs.name
      DEPLOYMENTS_CONTAINER: 'deployments'
      POSTGRES_HOST: postgresHost
      POSTGRES_DATABASE: databaseName
      AZURE_KEY_VAULT_NAME: vault.outputs.name
      API_KEY_SECRET_NAME: apiKeySecret
      DEPLOYER_CLIENT_ID: identity.outputs.deployer.clientId
      DEPLOYERS_SUBNET_ID: network.?outputs.deployersSubnetId ?? ''
    }
    fromShell: fromShell
  }
  dependsOn: [alerts, deployRoles, deploySiteRoles, siteEndpoints, workbook, workspaceRoles]
}

@description('Name of the environment.')
output AZURE_ENV_NAME string = outputs.outputs.environment.AZURE_ENV_NAME

@description('Its shape: dev, staging or production.')
output TASKFORCE_ENVIRONMENT string = outputs.outputs.environment.TASKFORCE_ENVIRONMENT

@description('Region.')
output AZURE_LOCATION string = outputs.outputs.environment.AZURE_LOCATION

@description('Directory.')
output AZURE_TENANT_ID string = outputs.outputs.environment.AZURE_TENANT_ID

@description('Resource group.')
output AZURE_RESOURCE_GROUP string = outputs.outputs.environment.AZURE_RESOURCE_GROUP

@description('Function app.')
output AZURE_FUNCTION_APP_NAME string = outputs.outputs.environment.AZURE_FUNCTION_APP_NAME

@description('Address of the API.')
output API_URL string = outputs.outputs.environment.API_URL

@description('Migrator.')
output AZURE_MIGRATOR_APP_NAME string = outputs.outputs.environment.AZURE_MIGRATOR_APP_NAME

@description('Its address.')
output MIGRATOR_URL string = outputs.outputs.environment.MIGRATOR_URL

@description('Account of packages, records, backups, claims and wakes.')
output AZURE_STORAGE_ACCOUNT string = outputs.outputs.environment.AZURE_STORAGE_ACCOUNT

@description('Container of packages and of the records of deployments.')
output DEPLOYMENTS_CONTAINER string = outputs.outputs.environment.DEPLOYMENTS_CONTAINER

@description('Host name of Postgres.')
output POSTGRES_HOST string = outputs.outputs.environment.POSTGRES_HOST

@description('Database.')
output POSTGRES_DATABASE string = outputs.outputs.environment.POSTGRES_DATABASE

@description('Vault of the API key.')
output AZURE_KEY_VAULT_NAME string = outputs.outputs.environment.AZURE_KEY_VAULT_NAME

@description('Name of the secret that is the API key.')
output API_KEY_SECRET_NAME string = outputs.outputs.environment.API_KEY_SECRET_NAME

@description('Client id of the deployer, for CI.')
output DEPLOYER_CLIENT_ID string = outputs.outputs.environment.DEPLOYER_CLIENT_ID

@description('Resource id of the subnet for machines that deploy; empty without a network of its own.')
output DEPLOYERS_SUBNET_ID string = outputs.outputs.environment.DEPLOYERS_SUBNET_ID
