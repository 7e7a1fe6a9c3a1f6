import { message } from '../src/api/missions/message.ts'
import { endpoint, route } from './http-endpoint.ts'

route('send-message', 'POST', 'api/v1/missions/{id:guid}/messages', endpoint(message))
