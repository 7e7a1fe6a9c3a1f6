import { LOG_BYTES } from './script.ts'

export interface Logs {
  /** Keeps a line while there is room; undefined is a line that was too long to be taken. */
  add(line: string | undefined): void
  /** The lines that were kept, with one more that counts the others if there are any. */
  lines(): string[]
}

/** Keeps the first lines that a script logs, up to LOG_BYTES as JSON: the first tell most about where it went wrong. */
export function createLogs(): Logs {
  const kept: string[] = []
  let bytes = 0
  let dropped = 0
  return {
    add(line) {
      const size = line === undefined ? 0 : Buffer.byteLength(JSON.stringify(line)) + 1
      if (line === undefined || dropped > 0 || bytes + size > LOG_BYTES) {
        dropped++
        return
      }
      bytes += size
      kept.push(line)
    },
    lines: () => (dropped === 0 ? [...kept] : [...kept, `[${dropped} more lines left out]`]),
  }
}
