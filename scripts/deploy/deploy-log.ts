import { appendFileSync, mkdirSync } from 'node:fs'
import { dirname, relative } from 'node:path'

/** What a deployment did, for whoever has to find out; secrets are taken out of everything that is written or said. */
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
  const write = (...lines: string[]) => {
    mkdirSync(dirname(file), { recursive: true })
    const text = lines.map((line) => line.trimEnd()).filter((line) => line !== '')
    appendFileSync(file, `${text.map((line) => `${now().toISOString()} ${scrub(line)}`).join('\n')}\n`, { mode: 0o600 })
  }
  return {
    file: relative(cwd, file),
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
