import { describe, expect, it } from 'vitest'
import { decodeManifest, encodeManifest, type Manifest } from '../../src/backup/manifest.ts'
import { flipBit } from './codec/stored.ts'

const HASH = 'ab'.repeat(32)
const MANIFEST: Manifest = {
  format: 1,
  name: 'taskforce_backup_20261129_020000',
  file: 'taskforce_backup_20261129_020000.sql.zst.enc',
  contents: {
    snapshotAt: '2026-11-29T02:00:00.000Z',
    revision: 3,
    minCode: 1,
    migrations: [{ revision: 1, name: 'mission-journal', sha256: HASH }],
    server: { version: '15.18', walPosition: '0/1B4F2A8' },
    missing: ['table "bÿ hand"'],
    drift: ['index "mïssions_by_hand"'],
    tables: [{ name: 'missions', columns: ['id', 'tenant_id'], rows: 12_000, sha256: HASH, bytes: 16_000_000 }],
    sequences: [{ name: 'upkeep_id_seq', lastValue: '9007199254740993', isCalled: true }],
    plain: { bytes: 1_015_600_000, textSha256: HASH },
  },
  stored: {
    bytes: 356_500_000,
    sha256: HASH,
    codec: 'zstd',
    encryption: {
      algorithm: 'AES-256-GCM',
      chunkBytes: 1_048_576,
      keyId: 'https://name.vault.azure.net/keys/backup/0123',
      wrapAlgorithm: 'RSA-OAEP-256',
      wrappedKey: Buffer.alloc(256, 7).toString('base64'),
    },
  },
  readBackAt: '2026-11-29T02:01:00.000Z',
  generation: 0,
  version: '0.1.0',
}

describe('a manifest', () => {
  const bytes = encodeManifest(MANIFEST)
  const decode = (changed: Buffer) => () => decodeManifest('a.manifest.json', changed)

  it('comes back', () => {
    expect(decode(bytes)()).toEqual(MANIFEST)
  })

  it('with any bit flipped is refused', () => {
    for (let bit = 0; bit < bytes.length * 8; bit++)
      expect(decode(flipBit(bytes, bit))).toThrow(expect.objectContaining({ code: 'manifest_damaged' }) as Error)
  })

  it('cut off anywhere, or gone on with, is refused', () => {
    const cut = Array.from({ length: bytes.length }, (_, length) => bytes.subarray(0, length))
    const more = ['\n', ' ', '\0', '{}', bytes.toString()].map((text) => Buffer.concat([bytes, Buffer.from(text)]))
    for (const changed of [...cut, ...more, Buffer.concat([Buffer.from('\ufeff'), bytes])])
      expect(decode(changed)).toThrow(expect.objectContaining({ code: 'manifest_damaged' }) as Error)
  })

  it('written by hand in other words is refused, though they mean the same', () => {
    const text = bytes.toString()
    for (const changed of [JSON.stringify(JSON.parse(text)), text.replace('"format": 1', '"format": 1.0')])
      expect(decode(Buffer.from(changed))).toThrow(expect.objectContaining({ code: 'manifest_damaged' }) as Error)
  })
})
