import { read } from '../src/api/missions/read.ts'
import { endpoint, route } from './http-endpoint.ts'

route('get-mission', 'GET', 'api/v1/missions/{id:guid}', endpoint(read))
