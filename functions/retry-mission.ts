import { retry } from '../src/api/missions/branch.ts'
import { endpoint, route } from './http-endpoint.ts'

route('retry-mission', 'POST', 'api/v1/missions/{id:guid}/retry', endpoint(retry))
