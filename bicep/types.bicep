@export()
@description('Tags of every resource.')
type Tags = {
  @description('A tag and its value.')
  *: string
}

@export()
@description('App settings of a function app.')
type AppSettings = {
  @description('A setting and its value; none is a secret.')
  *: string
}

@export()
@description('Texts by name.')
type Values = {
  @description('A name and its text; none is a secret.')
  *: string
}

@export()
@description('Instances that are kept running for one scale group.')
type AlwaysReady = {
  @description('http, or function:NAME.')
  name: string
  @minValue(1)
  @description('How many; at least 2 where the plan is zone-redundant.')
  instanceCount: int
}

@export()
@description('What an environment costs, and how it is protected. environments.bicep has the three that ship, side by side.')
type Shape = {
  @description('Its name, by which npm run deploy picks the parameter file.')
  name: 'dev' | 'staging' | 'production'
  @description('Agent profile of missions that name none.')
  profile: string
  @description('A network of its own, and private endpoints in front of everything that holds data.')
  privateNetwork: bool
  @description('Whether the API itself is reached from the internet.')
  publicApi: bool
  @description('The function app.')
  functionApp: {
    @description('Memory of an instance; its cores follow from it.')
    instanceMemoryMB: 512 | 2048 | 4096
    @minValue(1)
    @maxValue(1000)
    @description('Of each scale group. Azure is sure to take 40 and more.')
    maximumInstanceCount: int
    @description('Instances that never sleep.')
    alwaysReady: AlwaysReady[]
    @description('Instances in several availability zones.')
    zoneRedundant: bool
    @description('How a deployment replaces instances. RollingUpdate is a preview of Azure, in which instances of the old package go on beside the new for a while that nobody hears the end of: the contract part of a migration would then meet code that still needs what it removes.')
    updateStrategy: 'Recreate' | 'RollingUpdate'
  }
  @description('The Postgres server.')
  postgres: {
    @description('Compute size; connections.bicep knows how many connections each can hold.')
    skuName: string
    @description('Only GeneralPurpose and MemoryOptimized have high availability and PgBouncer.')
    tier: 'Burstable' | 'GeneralPurpose' | 'MemoryOptimized'
    @minValue(32)
    @maxValue(32767)
    @description('Grows by itself, and never shrinks.')
    storageSizeGB: int
    @description('A standby in another zone.')
    highAvailability: bool
    @minValue(7)
    @maxValue(35)
    @description('How far back a point-in-time restore goes.')
    backupRetentionDays: int
    @description('Backups in the paired region too. Fixed when the server is made.')
    geoRedundantBackup: bool
    @description('Connect through the built-in PgBouncer, for more instances than the server has connections for.')
    pooler: bool
    @description('Defender for this server.')
    threatProtection: bool
  }
  @description('The storage accounts: two of hosts, and the one of data.')
  storage: {
    @description('Replication of the host accounts, which hold nothing that cannot be made again.')
    hostSku: 'Standard_LRS' | 'Standard_ZRS'
    @description('Replication of the account of queues, claims and backups.')
    dataSku: 'Standard_LRS' | 'Standard_ZRS' | 'Standard_GRS' | 'Standard_GZRS'
    @minValue(1)
    @maxValue(146000)
    @description('Days for which nobody can change or remove a backup. Less than BACKUP_RETENTION_DAYS.')
    backupImmutabilityDays: int
    @description('The policy of these days was locked (az storage container immutability-policy lock): it is left alone, since Azure refuses every template that writes a locked one.')
    backupImmutabilityLocked: bool
  }
  @description('Encrypt backups with a key of the vault before they leave the process.')
  encryptBackups: bool
  @description('Azure AI Search, which searchIndex brings; without it the agent has no search_documents.')
  search: {
    @description('Size.')
    sku: 'basic' | 'standard' | 'standard2' | 'standard3'
    @minValue(1)
    @maxValue(12)
    @description('2 for an availability promise on queries, 3 also while the index is written.')
    replicaCount: int
  }
  @description('Logs.')
  logs: {
    @minValue(30)
    @maxValue(730)
    @description('Days.')
    retentionDays: int
    @description('GB a day after which Azure takes no more until tomorrow; -1: no end.')
    dailyQuotaGb: int
  }
  @description('No deletion of the database, the vault and the data account, before somebody removes the lock.')
  locks: bool
  @description('Alerts by mail, to alertEmails.')
  alerts: bool
  @minValue(0)
  @description('Monthly budget in the currency of the subscription; mails at 80 and 100 %, and when 100 % is foreseen. 0: none, as in subscriptions that can have none.')
  budget: int
}

@export()
@description('A deployment of a language model.')
type ModelDeployment = {
  @description('Its name, which profiles call it by.')
  name: string
  @description('The model.')
  model: string
  @description('Its version; never upgraded by itself.')
  version: string
  @description('Where it is computed, and how it is billed.')
  sku: 'GlobalStandard' | 'DataZoneStandard' | 'Standard'
  @minValue(1)
  @description('Thousands of tokens a minute.')
  capacity: int
}

@export()
@description('A resource that is there already.')
type ExistingResource = {
  @description('Its name.')
  name: string
  @description('Its resource group, in this subscription.')
  resourceGroup: string
}

@export()
@description('What is there already and is used in place of one of our own. Network access to it is its owner\'s to give, but for postgres.')
type Existing = {
  @description('Azure OpenAI, with a custom subdomain that is its name and with the deployments that modelDeployments names.')
  openAi: ExistingResource?
  @description('Azure AI Search, with the index that searchIndex names.')
  search: ExistingResource?
  @description('Resource id of a Postgres Flexible Server, 15 to 18, with a database taskforce, of the size of shape.postgres and not within a network of its own (a private endpoint has to be possible). The migrator becomes one of its Entra administrators. POSTGRES_SERVER_ID goes before it.')
  postgres: string?
  @description('Host name of a Postgres, 15 to 18, that is elsewhere: with a database taskforce, and the migrator\'s identity as an Entra administrator.')
  postgresHost: string?
  @minValue(50)
  @description('max_connections of the server at postgresHost.')
  postgresMaxConnections: int?
  @description('Resource id of a Log Analytics workspace.')
  logAnalyticsWorkspaceId: string?
  @description('A network.')
  network: ExistingNetwork?
}

@export()
@description('A network that is there already. The two subnets of apps are delegated to Microsoft.App/environments.')
type ExistingNetwork = {
  @description('Resource id of the network, which our private DNS zones are linked to.')
  id: string
  @description('Resource id of the subnet of the function app.')
  functionsSubnetId: string
  @description('Resource id of the subnet of the migrator.')
  migratorSubnetId: string
  @description('Resource id of the subnet of private endpoints.')
  endpointsSubnetId: string
  @description('Resource id of the resource group of the private DNS zones, where a hub has them already, perhaps in another subscription; else they are made here.')
  dnsResourceGroupId: string?
}

@export()
@description('A subnet of our own network for something of yours: a gateway, Bastion, runners.')
type ExtraSubnet = {
  @description('Its name; GatewaySubnet and AzureBastionSubnet are names that Azure asks for.')
  name: string
  @description('Its addresses, within networkPrefix, of which everything from the third /24 on is free.')
  addressPrefix: string
  @description('Resource id of its network security group; a VPN gateway takes none.')
  networkSecurityGroupId: string?
  @description('Service that it is delegated to.')
  delegation: string?
  @description('Out by our NAT gateway; else as Azure has it, which for a subnet of today is not at all.')
  nat: bool?
}

@export()
@description('A person or group of Entra ID.')
type Administrator = {
  @description('Object id.')
  objectId: string
  @description('Sign-in name of a person, or a group\'s name.')
  name: string
  @description('What it is.')
  type: 'User' | 'Group'
}

@export()
@description('Who deploys.')
type Deployer = {
  @description('Object id; empty: nobody.')
  principalId: string
  @description('What it is.')
  principalType: 'User' | 'Group' | 'ServicePrincipal'
  @description('Has to be given Reader on the resource group; who runs the template has more than that.')
  readsGroup: bool
}

@export()
@description('An identity, as far as others need it.')
type Identity = {
  @description('Resource id.')
  id: string
  @description('Name; also the login at Postgres.')
  name: string
  @description('What a program says to get its token.')
  clientId: string
  @description('What a role is given to.')
  principalId: string
}

@export()
@description('Addresses of the services of a storage account.')
type StorageEndpoints = {
  @description('Blobs.')
  blob: string
  @description('Queues.')
  queue: string
  @description('Tables.')
  table: string
}
