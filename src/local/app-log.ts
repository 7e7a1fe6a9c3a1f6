import { prettyFactory } from 'pino-pretty'
import type { HostLog } from './host/protocol.ts'

/** The app's JSON lines as a person reads them; what the host itself says only from warnings on. */
export function readableLog(write: (line: string) => void, colour: boolean): HostLog {
  const pretty = prettyFactory({
    colorize: colour,
    messageKey: 'event',
    timestampKey: 'timestamp',
    translateTime: 'SYS:HH:MM:ss',
    singleLine: true,
    ignore: 'tenant,invocationId,traceId',
    errorLikeObjectKeys: ['err'],
  })
  return ({ level, message }) => {
    if (message.startsWith('{')) return write(pretty(message).trimEnd())
    if (level === 'warning' || level === 'error' || level === 'critical') write(`host ${level}: ${message.trimEnd()}`)
  }
}
