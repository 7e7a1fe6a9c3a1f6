import { createEncoder } from '../../../src/backup/codec/encode.ts'
import { decode } from '../../../src/backup/codec/decode.ts'
import type { StoredHash } from '../../../src/backup/codec/hash-stored.ts'

/** Text as a dump has it: prose that compresses, and hex that does not; the same for the same seed. */
export function dumpText(bytes: number, seed = 7): Buffer {
  let state = seed
  const random = (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return (state >>> 8) % below
  }
  const words = 'mission step the of agent model renew contract draft reminder customer {"text": } null \\n'.split(' ')
  const lines: string[] = []
  for (let length = 0; length < bytes;) {
    const hex = Array.from({ length: 8 }, () => random(2 ** 24).toString(16)).join('')
    const line = `${hex}\t${Array.from({ length: 40 }, () => words[random(words.length)]).join(' ')}\n`
    lines.push(line)
    length += line.length
  }
  return Buffer.from(lines.join('')).subarray(0, bytes)
}

/** The stored file of a text, by our encoder. */
export async function encodeAll(
  plain: Buffer,
  dataKey?: Buffer,
  pieceBytes = 50_000,
): Promise<StoredHash & { stored: Buffer }> {
  const chunks: Buffer[] = []
  const encoder = createEncoder(async (chunk) => void chunks.push(Buffer.from(chunk)), dataKey)
  for (const piece of piecesOf(plain, pieceBytes)) await encoder.write(piece)
  return { ...(await encoder.end()), stored: Buffer.concat(chunks) }
}

export function* piecesOf(bytes: Buffer, pieceBytes: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
}

export async function* chunksOf(bytes: Buffer, pieceBytes = 65_536): AsyncGenerator<Buffer> {
  yield* piecesOf(bytes, pieceBytes)
}

export async function decodeAll(stored: Buffer, dataKey?: Buffer, pieceBytes?: number): Promise<Buffer> {
  const plain: Buffer[] = []
  for await (const chunk of decode(chunksOf(stored, pieceBytes), dataKey)) plain.push(chunk)
  return Buffer.concat(plain)
}

export type Outcome = 'detected' | 'same' | 'silently wrong'

/** What decoding alone makes of a stored file that was changed. Any other error than `backup_damaged` is thrown. */
export async function outcomeOf(changed: Buffer, plain: Buffer, dataKey?: Buffer): Promise<Outcome> {
  try {
    return (await decodeAll(changed, dataKey)).equals(plain) ? 'same' : 'silently wrong'
  } catch (error) {
    if ((error as { code?: string }).code !== 'backup_damaged') throw error
    return 'detected'
  }
}

export function flipBit(bytes: Buffer, bit: number): Buffer {
  const changed = Buffer.from(bytes)
  changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return changed
}

/** The code of what work throws. Not by `rejects`, which prints the megabytes that came in place of an error. */
export function codeOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'no error',
    (error: unknown) => (error as { code?: unknown }).code ?? error,
  )
}
