import { createHash } from 'node:crypto'

/** Passes the plain SQL on, and counts and hashes it on its way. */
export interface PlainWriter {
  text(text: string): Promise<void>
  bytes(chunk: Buffer): Promise<void>
  end(): { bytes: number; sha256: string }
}

export function createPlainWriter(write: (chunk: Buffer) => Promise<void>): PlainWriter {
  const hash = createHash('sha256')
  let bytes = 0
  async function pass(chunk: Buffer): Promise<void> {
    if (chunk.length === 0) return
    hash.update(chunk)
    bytes += chunk.length
    await write(chunk)
  }
  return {
    text: (text) => pass(Buffer.from(text)),
    bytes: pass,
    end: () => ({ bytes, sha256: hash.digest('hex') }),
  }
}
