import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { CHUNK_BYTES, createEncryptor, decrypt } from '../../../src/backup/codec/encrypt.ts'
import { chunksOf, codeOf, decodeAll, dumpText, encodeAll, flipBit, outcomeOf, piecesOf } from './stored.ts'

const KEY = randomBytes(32)
const HEADER = 20
const SEALED = CHUNK_BYTES + 16

async function encryptAll(plain: Buffer, pieceBytes = 300_000, key = KEY): Promise<Buffer> {
  const out: Buffer[] = []
  const encryptor = createEncryptor(key, async (chunk) => void out.push(chunk))
  for (const piece of piecesOf(plain, pieceBytes)) await encryptor.write(piece)
  await encryptor.end()
  return Buffer.concat(out)
}

async function decryptAll(stored: Buffer, key = KEY, pieceBytes = 300_000): Promise<Buffer> {
  const out: Buffer[] = []
  for await (const chunk of decrypt(chunksOf(stored, pieceBytes), key)) out.push(chunk)
  return Buffer.concat(out)
}

const damaged = { code: 'backup_damaged' }

describe('an encrypted file', () => {
  it.each([0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES])(
    'of %d bytes comes back, in pieces of any size, and is 20 bytes longer and 16 for each chunk',
    async (bytes) => {
      const plain = randomBytes(bytes)
      for (const pieceBytes of [99_991, CHUNK_BYTES, 10 * CHUNK_BYTES]) {
        const stored = await encryptAll(plain, pieceBytes)
        expect(stored.length).toBe(HEADER + bytes + 16 * Math.max(1, Math.ceil(bytes / CHUNK_BYTES)))
        expect((await decryptAll(stored, KEY, pieceBytes)).equals(plain)).toBe(true)
      }
    },
  )

  it('shows nothing of its text, and no two files of one text are alike', async () => {
    const plain = Buffer.alloc(3 * CHUNK_BYTES, 'canary ')
    const [one, other] = [await encryptAll(plain), await encryptAll(plain)]
    expect(one.includes('canary')).toBe(false)
    const chunks = [one, other].flatMap((stored) => [...piecesOf(stored.subarray(HEADER), SEALED)])
    expect(new Set(chunks.map((chunk) => chunk.subarray(0, 32).toString('hex'))).size).toBe(6)
  })

  it('with another key gives not one byte', async () => {
    const stored = await encryptAll(randomBytes(100))
    const out: Buffer[] = []
    const read = async () => {
      for await (const chunk of decrypt(chunksOf(stored), randomBytes(32))) out.push(chunk)
    }
    await expect(read()).rejects.toMatchObject({ ...damaged, message: expect.stringContaining('another key') })
    expect(out).toEqual([])
  })

  it('with any bit flipped, or cut off anywhere, is refused', async () => {
    const plain = randomBytes(150)
    const stored = await encryptAll(plain)
    for (let bit = 0; bit < stored.length * 8; bit++)
      expect(await codeOf(decryptAll(flipBit(stored, bit)))).toBe('backup_damaged')
    for (let length = 0; length < stored.length; length++)
      expect(await codeOf(decryptAll(stored.subarray(0, length)))).toBe('backup_damaged')
  })
})

describe('chunks', async () => {
  const stored = await encryptAll(randomBytes(3 * CHUNK_BYTES + 5))
  const other = await encryptAll(randomBytes(3 * CHUNK_BYTES + 5))
  const header = stored.subarray(0, HEADER)
  const [a, b, c, d] = [...piecesOf(stored.subarray(HEADER), SEALED)] as [Buffer, Buffer, Buffer, Buffer]
  const foreign = other.subarray(HEADER, HEADER + SEALED)
  it.each([
    ['in another order', [header, b, a, c, d]],
    ['twice', [header, a, a, b, c, d]],
    ['left out', [header, a, c, d]],
    ['left out at the beginning', [header, b, c, d]],
    ['cut off behind one', [header, a, b, c]],
    ['cut off behind the header', [header]],
    ['of another file under the same key', [header, foreign, b, c, d]],
    ['under the header of another file', [other.subarray(0, HEADER), a, b, c, d]],
    ['added after the last', [header, a, b, c, d, d]],
    ['of which the last is longer', [header, a, b, c, d, Buffer.alloc(1)]],
    ['of a second whole file after it', [stored, other]],
  ])('%s are refused', async (_, parts) => {
    expect((await decryptAll(stored)).length).toBe(3 * CHUNK_BYTES + 5)
    expect(await codeOf(decryptAll(Buffer.concat(parts)))).toBe('backup_damaged')
  })
})

describe('a backup with a key', () => {
  const plain = dumpText(600)

  it('comes back with its key, and not without', async () => {
    const { stored } = await encodeAll(plain, KEY)
    expect((await decodeAll(stored, KEY)).equals(plain)).toBe(true)
    expect(await codeOf(decodeAll(stored))).toBe('key_unavailable')
    expect(await codeOf(decodeAll(stored, randomBytes(32)))).toBe('backup_damaged')
  })

  it('that is not encrypted after all is refused', async () => {
    const { stored } = await encodeAll(plain)
    expect(await codeOf(decodeAll(stored, KEY))).toBe('backup_damaged')
  })

  it('with any bit flipped is refused by decoding alone', async () => {
    const { stored } = await encodeAll(plain, KEY)
    for (let bit = 0; bit < stored.length * 8; bit++) {
      const outcome = await outcomeOf(flipBit(stored, bit), plain, KEY).catch(() => 'detected')
      expect(outcome).toBe('detected')
    }
  })
})
