import { constants, generateKeyPairSync, privateDecrypt, publicEncrypt, randomBytes, type KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { z } from 'zod'

export interface KeyVault {
  /** Of the key `backup`, without a version. */
  keyUrl: string
  /** Adds a version, which is the current one from then on. */
  rotate(): void
  /** Answers all operations of a kind with this. */
  refuse(operation: 'get' | 'wrapkey' | 'unwrapkey', status: number, code: string): void
  /** Of all requests: what was asked for, and the token it came with. */
  seen: { path: string; authorization: string | undefined; body: string }[]
  /** Of the challenge: whom tokens should be for. */
  resource: string
  stop(): Promise<void>
}

type Send = (status: number, value: object, headers?: Record<string, string>) => void

const TOKEN = 'token-of-the-test'
const bodySchema = z.object({ alg: z.literal('RSA-OAEP-256'), value: z.string() })

/** Gives the token that the server below wants, for any audience; remembers which were asked for. */
export function testCredential() {
  const scopes: string[] = []
  return {
    scopes,
    getToken: async (scope: string | string[]) => {
      scopes.push(...[scope].flat())
      return { token: TOKEN, expiresOnTimestamp: Date.now() + 3_600_000 }
    },
  }
}

/** Speaks the part of Key Vault's protocol (7.x) that wraps and unwraps, challenge included, with real RSA keys of 2048 bits. */
export async function startKeyVault(): Promise<KeyVault> {
  const versions = new Map<string, { publicKey: KeyObject; privateKey: KeyObject }>()
  const refusals = new Map<string, { status: number; code: string }>()
  let current = ''
  const server = createServer((incoming, outgoing) => {
    const send: Send = (status, value, headers = {}) =>
      void outgoing.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value))
    void textOf(incoming).then((body) => answer(incoming, body, send))
  })

  function answer(incoming: IncomingMessage, body: string, send: Send): void {
    const url = new URL(incoming.url ?? '', origin)
    const { authorization } = incoming.headers
    vault.seen.push({ path: url.pathname, authorization, body })
    const fail = (status: number, code: string, headers = {}) =>
      send(status, { error: { code, message: 'no' } }, headers)
    const challenge = `Bearer authorization="https://login.test/tenant", resource="${vault.resource}"`
    if (authorization !== `Bearer ${TOKEN}`) return fail(401, 'Unauthorized', { 'www-authenticate': challenge })
    const [, , name, version = '', operation = 'get'] = url.pathname.split('/')
    const refusal = refusals.get(operation)
    if (refusal !== undefined) return fail(refusal.status, refusal.code)
    const used = version === '' ? current : version
    const pair = versions.get(used)
    if (name !== 'backup' || pair === undefined) return fail(404, 'KeyNotFound')
    const kid = `${origin}/keys/backup/${used}`
    if (operation === 'get') {
      const { n, e } = pair.publicKey.export({ format: 'jwk' })
      const key = { kid, kty: 'RSA', n, e, key_ops: ['wrapKey', 'unwrapKey'] }
      return send(200, { key, attributes: { enabled: true } })
    }
    const value = Buffer.from(bodySchema.parse(JSON.parse(body)).value, 'base64url')
    const padding = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }
    try {
      const result =
        operation === 'wrapkey'
          ? publicEncrypt({ key: pair.publicKey, ...padding }, value)
          : privateDecrypt({ key: pair.privateKey, ...padding }, value)
      send(200, { kid, value: result.toString('base64url') })
    } catch {
      fail(400, 'BadParameter')
    }
  }

  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const vault: KeyVault = {
    keyUrl: `${origin}/keys/backup`,
    rotate() {
      current = randomBytes(16).toString('hex')
      versions.set(current, generateKeyPairSync('rsa', { modulusLength: 2048 }))
    },
    refuse: (operation, status, code) => void refusals.set(operation, { status, code }),
    seen: [],
    resource: 'https://vault.azure.net',
    async stop() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
  vault.rotate()
  return vault
}

async function textOf(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}
