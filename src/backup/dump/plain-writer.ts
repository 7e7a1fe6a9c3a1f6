import { createHash } from 'node:crypto'
import type { DumpContents } from '../manifest.ts'

/** Passes the plain SQL on, counts all of it, and hashes what is not rows: those are hashed by table. */
export interface PlainWriter {
  text(text: string): Promise<void>
  rows(chunk: Buffer): Promise<void>
  end(): DumpContents['plain']
}

export function createPlainWriter(write: (chunk: Buffer) => Promise<void>): PlainWriter {
  const hash = createHash('sha256')
  let bytes = 0
  async function pass(chunk: Buffer): Promise<void> {
    if (chunk.length === 0) return
    bytes += chunk.length
    await write(chunk)
  }
  return {
    text(text) {
      const chunk = Buffer.from(text)
      hash.update(chunk)
      return pass(chunk)
    },
    rows: pass,
    end: () => ({ bytes, textSha256: hash.digest('hex') }),
  }
}
