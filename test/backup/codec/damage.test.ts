import { createHash, randomBytes } from 'node:crypto'
import { constants, zstdCompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { hashStored } from '../../../src/backup/codec/hash-stored.ts'
import { singleFrame } from '../../../src/backup/codec/single-frame.ts'
import { chunksOf, codeOf, decodeAll, dumpText, encodeAll, flipBit, outcomeOf, type Outcome } from './stored.ts'

const SMALL = dumpText(1_500)

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function compress(plain: Buffer, checksum: 0 | 1 = 1): Buffer {
  return zstdCompressSync(plain, { params: { [constants.ZSTD_c_checksumFlag]: checksum } })
}

async function count(stored: Buffer, plain: Buffer, changes: Iterable<Buffer>) {
  const counts: Record<Outcome | 'unseen by the hash', number> = {
    detected: 0,
    same: 0,
    'silently wrong': 0,
    'unseen by the hash': 0,
  }
  const { sha256: hash } = await hashStored(chunksOf(stored))
  for (const changed of changes) {
    counts[await outcomeOf(changed, plain)] += 1
    if ((await hashStored(chunksOf(changed))).sha256 === hash) counts['unseen by the hash'] += 1
  }
  return counts
}

function* allFlips(stored: Buffer): Generator<Buffer> {
  for (let bit = 0; bit < stored.length * 8; bit++) yield flipBit(stored, bit)
}

function* allTruncations(stored: Buffer): Generator<Buffer> {
  for (let length = 0; length < stored.length; length++) yield stored.subarray(0, length)
}

describe('a stored file', () => {
  it.each([0, 1, 999, 131_072, 3_000_000, 3_000_001])(
    'of %d bytes of text comes back, and its hash is its bytes',
    async (bytes) => {
      const plain = dumpText(bytes)
      for (const pieceBytes of [1_021, 400_000].filter((size) => bytes / size < 4_000)) {
        const { stored, ...hashed } = await encodeAll(plain, undefined, pieceBytes)
        expect(hashed).toEqual({ bytes: stored.length, sha256: sha256(stored) })
        expect(sha256(await decodeAll(stored, undefined, pieceBytes))).toBe(sha256(plain))
      }
    },
  )

  it('with any bit flipped is refused by its hash, and never decodes to something else', async () => {
    const { stored } = await encodeAll(SMALL)
    const counts = await count(stored, SMALL, allFlips(stored))
    expect(counts).toMatchObject({ 'silently wrong': 0, 'unseen by the hash': 0 })
    expect(counts.detected).toBeGreaterThan(stored.length * 8 * 0.99)
  }, 120_000)

  it('cut off anywhere is refused by its hash, and by decoding alone', async () => {
    const { stored } = await encodeAll(SMALL)
    const counts = await count(stored, SMALL, allTruncations(stored))
    expect(counts).toEqual({ detected: stored.length, same: 0, 'silently wrong': 0, 'unseen by the hash': 0 })
  }, 120_000)

  it('without the checksum would be silently wrong for most flips: the trials above can fail', async () => {
    const stored = compress(SMALL, 0)
    const counts = await count(stored, SMALL, allFlips(stored))
    expect(counts['silently wrong']).toBeGreaterThan(stored.length * 8 * 0.4)
    expect(counts['unseen by the hash']).toBe(0)
  }, 120_000)

  it('is one frame, also where it fills the compressor’s last piece to the byte', async () => {
    const lengths: number[] = []
    for (let bytes = 131_040; bytes < 131_072; bytes++) {
      const plain = randomBytes(bytes)
      const { stored } = await encodeAll(plain)
      lengths.push(stored.length)
      expect((await decodeAll(stored)).equals(plain)).toBe(true)
    }
    expect(lengths).toContain(131_072)
  })

  it('cut off anywhere is refused before Node’s decoder sees its end, which takes that for whole in some versions', async () => {
    const { stored } = await encodeAll(SMALL)
    for (const part of allTruncations(stored))
      expect(await codeOf(hashStored(singleFrame(chunksOf(part))))).toBe('backup_damaged')
    expect((await hashStored(singleFrame(chunksOf(stored)))).bytes).toBe(stored.length)
  })

  it('read in pieces of one byte is found cut off, and found whole', async () => {
    const { stored } = await encodeAll(SMALL)
    expect((await decodeAll(stored, undefined, 1)).equals(SMALL)).toBe(true)
    expect(await codeOf(decodeAll(stored.subarray(0, -1), undefined, 1))).toBe('backup_damaged')
  })
})

describe("Node's decoder is not trusted with", () => {
  const whole = dumpText(400_000)
  const raw = compress(dumpText(60_000))
  const files: [string, Buffer][] = [
    ['two frames', Buffer.concat([compress(SMALL), compress(SMALL)])],
    ['a small frame before a large one', Buffer.concat([compress(SMALL), compress(whole)])],
    ['a large frame before a small one', Buffer.concat([compress(whole), compress(SMALL)])],
    ['an empty frame before another one', Buffer.concat([compress(Buffer.alloc(0)), compress(whole)])],
    ['an empty frame at the end', Buffer.concat([compress(whole), compress(Buffer.alloc(0))])],
    ['one byte after the end', Buffer.concat([raw, Buffer.alloc(1)])],
    ['text after the end', Buffer.concat([raw, Buffer.from('select 1;')])],
    ['a skippable frame at the end', Buffer.concat([raw, Buffer.from('502a4d1800000000', 'hex')])],
    ['a skippable frame at the beginning', Buffer.concat([Buffer.from('502a4d1800000000', 'hex'), raw])],
    ['a whole block missing at the end', raw.subarray(0, -4)],
    ['nothing', Buffer.alloc(0)],
    ['gzip', Buffer.from('1f8b0800000000000003030000000000', 'hex')],
  ]
  it.each(files)('%s', async (_, stored) => {
    for (const pieceBytes of [7, 65_536, stored.length + 1])
      expect(await codeOf(decodeAll(stored, undefined, pieceBytes))).toBe('backup_damaged')
  })
})

it('an error of what is read comes out as it is', async () => {
  const { stored } = await encodeAll(SMALL)
  const { decode } = await import('../../../src/backup/codec/decode.ts')
  async function* broken(): AsyncGenerator<Buffer> {
    yield stored.subarray(0, 100)
    throw new Error('the line is dead')
  }
  const read = async () => {
    for await (const _ of decode(broken()));
  }
  await expect(read()).rejects.toThrow('the line is dead')
})
