import { settingsSchema } from '../../src/config/settings.ts'
import { scrubber } from '../../src/telemetry/logger.ts'
import { oneLine } from '../mission/text.ts'
import type { Report } from './report.ts'
import { secretsIn } from './show-value.ts'

/** Secrets that libraries read from the environment by themselves. */
const OF_LIBRARIES = ['PGPASSWORD', 'AZURE_CLIENT_SECRET']
/** Shorter ones are parts of ordinary words. */
const LEAST_SECRET = 3
/** What servers without keys are given as one, such as "none" or "ollama": nothing to hide, and often a model's name. */
const NO_KEY = /^[a-z]{1,10}$/
const shapes = scrubber([])

/** Whether a key of a model server is none. */
export function isNoKey(key: string): boolean {
  return NO_KEY.test(key)
}

/** Every secret among these settings. */
export function knownSecrets(values: ReadonlyMap<string, { value: string }>): string[] {
  const found = [...values].flatMap(([name, { value }]) => {
    if (name === 'OPENAI_API_KEY' && isNoKey(value)) return []
    if (OF_LIBRARIES.includes(name) || isMisplaced(name, value)) return [value]
    return secretsIn(name, value)
  })
  return [...new Set(found)].filter((secret) => secret.length >= LEAST_SECRET)
}

/** A key that was put where a name belongs. */
function isMisplaced(name: string, value: string): boolean {
  return name in settingsSchema.shape && !value.includes('://') && shapes(value) !== value
}

/**
 * Makes a text of another server fit to be shown: on one line, without escape sequences, at most `most` characters, and
 * without secrets, however short they are.
 */
export function foreign(text: string, secrets: readonly string[], most = 160): string {
  const clean = shapes(redact(oneLine(text), secrets))
  return clean.length <= most ? clean : `${clean.slice(0, most - 1)}…`
}

/**
 * The last line of defence: our own sentences hold no secret, and if one did, it would end here. A password that is a plain
 * word, such as "taskforce", is left out: it would also take away names and commands.
 */
export function scrubReport(report: Report, secrets: readonly string[]): Report {
  const telling = secrets.filter((secret) => !/^[a-z]{1,12}$/.test(secret))
  const clean = <T extends object>(item: T): T => {
    const entries = Object.entries(item).map(([key, value]: [string, unknown]) => [
      key,
      typeof value === 'string' ? redact(value, telling) : value,
    ])
    return Object.fromEntries(entries) as T
  }
  return { ...report, checks: report.checks.map(clean), settings: report.settings.map(clean) }
}

/** The longest first, since one may be a part of another. */
function redact(text: string, secrets: readonly string[]): string {
  const longestFirst = secrets.toSorted((a, b) => b.length - a.length)
  return longestFirst.reduce((clean, secret) => clean.replaceAll(secret, '[redacted]'), text)
}
