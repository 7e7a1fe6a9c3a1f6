// Connections to Postgres: what a size has, and what the apps may open at most. A test holds the numbers of the second kind equal to
// the pools of src/db/connection.ts.

@export()
@description('max_connections of each compute size.')
var maxConnections = {
  Standard_B1ms: 50
  Standard_B2s: 429
  Standard_B2ms: 859
  Standard_B4ms: 1718
  Standard_D2ds_v5: 859
  Standard_D4ds_v5: 1718
  Standard_D8ds_v5: 3437
  Standard_D16ds_v5: 5000
  Standard_E2ds_v5: 1718
  Standard_E4ds_v5: 3437
  Standard_E8ds_v5: 5000
}

@export()
@description('What Azure keeps for itself.')
var reservedByAzure = 15

@export()
@description('Kept free for people: an incident is not the time to be refused.')
var reservedForPeople = 10

@export()
@description('Pools of one instance: the API\'s and the engine\'s.')
var poolSizes = { api: 4, engine: 2 }

@export()
@description('Instances of one of the timers hold the engine\'s pool and, past the pooler, what a drill opens at most.')
var directConnectionsOfTimer = 3

@export()
@description('sweep, backup, restore-drill, retain: one instance runs each.')
var timers = 4

@export()
@description('run-mission and run-mission-poison: each is a scale group with the engine\'s pool.')
var queueFunctions = 2

@export()
@description('What one request to the migrator opens: the migration, its lock and the roles. An instance has one request at a time, and it is assumed that there is one: a deployment waits for its answer, and a second deployment for the first. Further ones would get instances of their own, and take from what is kept for people.')
var connectionsOfMigrator = 3

@export()
@description('Connections that the pools of all instances open, at the highest count of instances.')
func pooledConnections(instances int) int =>
  instances * (poolSizes.api + poolSizes.engine) + instances * queueFunctions * poolSizes.engine + timers * poolSizes.engine

@export()
@description('Connections past the pooler.')
func directConnections() int => timers * directConnectionsOfTimer + connectionsOfMigrator

@export()
@description('Server connections that PgBouncer opens for our one login and database.')
var poolerSize = 100

@export()
@description('Clients that PgBouncer takes.')
var poolerClients = 5000
