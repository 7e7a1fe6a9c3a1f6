import { createHash } from 'node:crypto'

const PIECE = 1024 * 1024

/** Bytes that look random, the same each time for the same length. */
export function* randomFile(bytes: number): Generator<Buffer> {
  for (let at = 0; at < bytes; at += PIECE) {
    const block = createHash('shake256', { outputLength: 4096 }).update(`${at}`).digest()
    const piece = Buffer.alloc(Math.min(PIECE, bytes - at))
    for (let from = 0; from < piece.length; from += block.length) {
      block.copy(piece, from)
      if (from + 4 <= piece.length) piece.writeUInt32BE(from, from)
    }
    yield piece
  }
}

export function randomBytesOf(bytes: number): Buffer {
  return Buffer.concat([...randomFile(bytes)])
}
