import { list } from '../src/api/missions/list.ts'
import { endpoint, route } from './http-endpoint.ts'

route('list-missions', 'GET', 'api/v1/missions', endpoint(list))
