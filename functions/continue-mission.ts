import { goOn } from '../src/api/missions/branch.ts'
import { endpoint, route } from './http-endpoint.ts'

route('continue-mission', 'POST', 'api/v1/missions/{id:guid}/continue', endpoint(goOn))
