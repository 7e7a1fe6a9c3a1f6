using none

// What each environment takes from the shell, so that no file has to be changed for a first deployment. All of them may be unset, or empty.

var openAiCapacity = readEnvironmentVariable('OPENAI_CAPACITY', '')

var postgresStorage = readEnvironmentVariable('POSTGRES_STORAGE_GB', '')

// The first is what profiles that name no model use, and the profiles that ship know its prices by this name. Versions end, this one not before
// 2027-03-18 (Microsoft's retirement schedule of July 2026): docs/runbooks/model-change.md.
param modelDeployments = [
  {
    name: 'gpt-5.4-mini'
    model: 'gpt-5.4-mini'
    version: '2026-03-17'
    sku: 'GlobalStandard'
    capacity: int(empty(openAiCapacity) ? '100' : openAiCapacity)
  }
]

// User for a person, ServicePrincipal in CI.
param operatorType = readEnvironmentVariable('AZURE_PRINCIPAL_TYPE', 'User')

// Resource id of a Postgres server that is there, in place of one of our own.
param postgresServerId = readEnvironmentVariable('POSTGRES_SERVER_ID', '')

// What Postgres has grown to, where that is more than its shape says: npm run deploy reads it from Azure.
param postgresStorageGB = int(empty(postgresStorage) ? '0' : postgresStorage)

// Object id of a group of Entra ID: people on call.
param operatorGroupId = readEnvironmentVariable('OPERATOR_GROUP_ID', '')

// For one deployment after the vault and the OpenAI account were deleted.
param recoverDeleted = readEnvironmentVariable('RECOVER_DELETED', '') == 'true'

// First day of the month of the first deployment, such as 2026-12-01, from the second month on.
param budgetStart = readEnvironmentVariable('BUDGET_START', '')

// Addresses by comma, of who deploys from outside the network.
param allowedAddresses = filter(
  map(split(readEnvironmentVariable('ALLOWED_ADDRESSES', ''), ','), one => trim(one)),
  one => !empty(one)
)

// By comma too.
param alertEmails = filter(
  map(split(readEnvironmentVariable('ALERT_EMAILS', ''), ','), one => trim(one)),
  one => !empty(one)
)

// The same texts as they were given: npm run deploy takes from here what the next shell does not set. TASKFORCE_ENVIRONMENT_NAME and the
// like are of one run, and Azure knows the others.
param fromShell = {
  ALERT_EMAILS: readEnvironmentVariable('ALERT_EMAILS', '')
  ALLOWED_ADDRESSES: readEnvironmentVariable('ALLOWED_ADDRESSES', '')
  OPENAI_CAPACITY: openAiCapacity
  OPERATOR_GROUP_ID: operatorGroupId
  POSTGRES_SERVER_ID: postgresServerId
}
