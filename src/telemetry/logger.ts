import { pino, type DestinationStream, type Logger } from 'pino'
import { currentInvocation } from './invocation.ts'

export type { Logger }

export interface LoggerSettings {
  level: string
  /** Values that must never be written, wherever they stand. */
  secrets: readonly string[]
  destination?: DestinationStream
}

/** JSON lines in the form of the contracts page: `event`, `level` as a word, `timestamp`. */
export function createLogger({ level, secrets, destination }: LoggerSettings): Logger {
  const scrub = scrubber(secrets)
  const target = destination ?? { write: (line: string) => void process.stdout.write(line) }
  return pino(
    {
      level,
      messageKey: 'event',
      base: undefined,
      timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      // A new object each time: pino writes the line's own members into it.
      mixin: () => ({ ...currentInvocation() }),
      // pino's own would call every plain object an "Object".
      serializers: { err: (value: unknown) => value },
    },
    { write: (line) => target.write(scrub(line)) },
  )
}

/**
 * Shapes of secrets that this process never knew: tokens in answers of other servers, signatures in URLs. They begin a word,
 * or follow an escape such as `\n`, whose letter would pass for a part of the word in a finished line of JSON.
 */
const SHAPES =
  /(?:(?<!\w)|(?<=\\[bfnrt]))(?:Bearer\s+[\w.~+/-]{8,}=*|sk-[\w-]{16,}|tf_live_[\w]{16,}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*)|(?<=AccountKey=)[\w+/]{16,}=*|(?<=[?&]sig=)[\w%+/-]{8,}|(?<=:\/\/[^:/@\s"]{1,64}:)[^@/\s"]+(?=@)/gi

/**
 * Takes secrets out of a finished line. Path redaction alone misses free text, such as a connection string in the message
 * of an error, so the line itself is searched: for the values that are known, and for what looks like one.
 */
export function scrubber(secrets: readonly string[]): (text: string) => string {
  // As they are, and as JSON writes them.
  const known = secrets
    .filter((secret) => secret.length >= 6)
    .flatMap((secret) => [...new Set([secret, JSON.stringify(secret).slice(1, -1)])])
  return (text) => {
    let clean = text
    for (const secret of known) clean = clean.replaceAll(secret, '[redacted]')
    return clean.replace(SHAPES, '[redacted]')
  }
}
