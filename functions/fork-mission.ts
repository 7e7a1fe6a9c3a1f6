import { fork } from '../src/api/missions/branch.ts'
import { endpoint, route } from './http-endpoint.ts'

route('fork-mission', 'POST', 'api/v1/missions/{id:guid}/fork', endpoint(fork))
