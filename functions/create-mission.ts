import { create } from '../src/api/missions/create.ts'
import { endpoint, route } from './http-endpoint.ts'

route('create-mission', 'POST', 'api/v1/missions', endpoint(create))
