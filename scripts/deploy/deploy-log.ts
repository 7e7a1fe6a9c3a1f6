import { appendFileSync, mkdirSync } from 'node:fs'
import { dirname, relative } from 'node:path'
import { createAttempt } from './attempt.ts'

/**
 * What a deployment did, for whoever has to find out; secrets are taken out of everything that is written or said. Where it can't be
 * written, that is said once, and nothing throws: a run that stopped in the middle, or while it clears up, would be worse.
 */
export interface DeployLog {
  /** Relative to the working folder. */
  file: string
  /** To the file alone. */
  write(...lines: string[]): void
  /** To the file and to the person. */
  say(line: string): void
  /** From now on never written; answers the secret. */
  keep(secret: string): string
  /** The text without the secrets. */
  scrub(text: string): string
}

/** @param file made at the first line, mode 0600 */
export function createLog(file: string, cwd: string, tell: (line: string) => void, now: () => Date): DeployLog {
  const secrets: string[] = []
  const scrub = (text: string) => secrets.reduce((scrubbed, secret) => scrubbed.replaceAll(secret, '[secret]'), text)
  const name = relative(cwd, file)
  const attempt = createAttempt((why) =>
    tell(`The log ${name} can't be written, and lacks what is done from here on: ${why}`),
  )
  const write = (...lines: string[]) => {
    const text = lines.map((line) => line.trimEnd()).filter((line) => line !== '')
    const stamped = text.map((line) => `${now().toISOString()} ${scrub(line)}`)
    attempt(() => {
      mkdirSync(dirname(file), { recursive: true })
      appendFileSync(file, `${stamped.join('\n')}\n`, { mode: 0o600 })
    })
  }
  return {
    file: name,
    write,
    say(line) {
      write(line)
      tell(scrub(line))
    },
    keep(secret) {
      if (secret !== '') secrets.push(secret)
      return secret
    },
    scrub,
  }
}
