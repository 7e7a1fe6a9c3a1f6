import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { Client } from 'pg'
import { dump } from '../../src/backup/dump/dump.ts'
import { verifyPlain } from '../../src/backup/plain/verify-plain.ts'

/** Dumps a database to a file and verifies that; prints the bytes and this process's peak of memory in MB. */
const [, , url = '', path = ''] = process.argv
const client = new Client({ connectionString: url })
client.on('error', () => undefined)
await client.connect()
const file = await open(path, 'w')
const contents = await dump(client, async (chunk) => void (await file.write(chunk)), { version: 'test' })
await file.close()
await verifyPlain(createReadStream(path), contents)
process.stdout.write(JSON.stringify({ bytes: contents.plain.bytes, peakMb: process.resourceUsage().maxRSS / 1024 }))
