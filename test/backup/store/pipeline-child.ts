/** Takes a text of a given size all the way into a store and back, and tells how much memory the process ever had. */
import { randomBytes } from 'node:crypto'
import { createEncoder } from '../../../src/backup/codec/encode.ts'
import { decode } from '../../../src/backup/codec/decode.ts'
import { tapHash } from '../../../src/backup/codec/hash-stored.ts'
import { dumpText } from '../codec/stored.ts'
import { azuriteStore } from './azurite-store.ts'

export interface PipelineOrder {
  connectionString: string
  name: string
  /** Of text. */
  megabytes: number
  encrypted: boolean
}

export interface PipelineResult {
  peakMb: number
  storedBytes: number
  seconds: { write: number; read: number }
}

const { connectionString, name, megabytes, encrypted } = JSON.parse(process.argv[2] ?? '') as PipelineOrder
const MIB = 1024 * 1024
/** Of 4 MiB, over and over: a window of 2 MiB does not see that it repeats. */
const text = dumpText(4 * MIB)
const store = azuriteStore(connectionString, 'memory')
const dataKey = encrypted ? randomBytes(32) : undefined

const began = performance.now()
const file = await store.begin(name)
const encoder = createEncoder((chunk) => file.write(chunk), dataKey)
for (let at = 0; at < megabytes * MIB; at += 65_536) {
  const from = at % text.length
  await encoder.write(text.subarray(from, from + 65_536))
}
const stored = await encoder.end()
await file.commit()
const written = performance.now()

const tapped = tapHash(store.read(name))
let bytes = 0
for await (const chunk of decode(tapped.chunks, dataKey)) {
  const from = bytes % text.length
  if (
    !chunk
      .subarray(0, Math.min(64, text.length - from))
      .equals(text.subarray(from, Math.min(from + 64, from + chunk.length)))
  )
    throw new Error(`Another text came back at ${bytes}`)
  bytes += chunk.length
}
const read = performance.now()
if (bytes !== megabytes * MIB || tapped.result().sha256 !== stored.sha256) throw new Error('Another file came back')
const result: PipelineResult = {
  peakMb: process.resourceUsage().maxRSS / 1024,
  storedBytes: stored.bytes,
  seconds: { write: (written - began) / 1000, read: (read - written) / 1000 },
}
process.send?.(result)
process.disconnect()
