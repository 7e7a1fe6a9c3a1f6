import { events } from '../src/api/missions/events.ts'
import { endpoint, route } from './http-endpoint.ts'

route('mission-events', 'GET', 'api/v1/missions/{id:guid}/events', endpoint(events))
