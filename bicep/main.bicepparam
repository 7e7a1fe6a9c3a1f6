// The parameters of azd, which reads this file alone.
using 'main.bicep'
extends 'shared.bicepparam'

import { environments } from 'environments.bicep'

var name = readEnvironmentVariable('AZURE_ENV_NAME', '')

var shapeName = readEnvironmentVariable('TASKFORCE_ENVIRONMENT', '')

// Of any keys for the compiler, which else warns of a name that is no shape.
var shapes = toObject(items(environments), one => one.key, one => one.value)

param environmentName = empty(name)
  ? fail('AZURE_ENV_NAME is not set: this file is for azd, which sets it (azd env new NAME). For az there are dev.bicepparam, staging.bicepparam and production.bicepparam.')
  : name

// An environment that is called like a shape has that one, any other says which. Nothing is guessed: the names of production with the
// shape of dev would be production with a Postgres that the internet reaches.
param shape = contains(shapes, toLower(name)) && !empty(shapeName) && toLower(shapeName) != toLower(name)
  ? fail('TASKFORCE_ENVIRONMENT is ${shapeName} in an environment that is called ${name}: azd env set TASKFORCE_ENVIRONMENT ${toLower(name)}, or azd env new NAME for another of the shape ${shapeName}.')
  : shapes[?toLower(empty(shapeName) ? name : shapeName)] ?? fail('The shape of ${name} is ${empty(shapeName) ? 'not said' : shapeName}: azd env set TASKFORCE_ENVIRONMENT dev, staging or production.')
