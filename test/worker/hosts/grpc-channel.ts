import { createServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { decode, encode, type Values } from './protobuf.ts'
import { type FromWorker, streamingMessage } from './worker-messages.ts'

export interface GrpcChannel {
  port: number
  send(message: Values): void
  close(): Promise<void>
}

/**
 * The host's end of the one call that a worker makes: `FunctionRpc/EventStream`, messages both ways for as long as the worker
 * lives. gRPC is HTTP/2 with a 5-byte head before each message and the status in trailers (grpc.io, PROTOCOL-HTTP2).
 */
export async function openChannel(receive: (message: FromWorker) => void): Promise<GrpcChannel> {
  let events: ServerHttp2Stream | undefined
  const sessions = new Set<ServerHttp2Session>()
  const server = createServer()
  server.on('session', (session) => {
    sessions.add(session)
    session.on('close', () => sessions.delete(session))
    // A worker that is killed resets its connection; its exit code tells the test.
    session.on('error', () => undefined)
  })
  server.on('stream', (stream) => {
    events = stream
    stream.on('error', () => undefined)
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
    stream.on('end', () => stream.end())
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
    readFrames(stream, (frame) => receive(decode(streamingMessage, frame)))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    send: (message) => {
      const body = encode(streamingMessage, message)
      const head = Buffer.alloc(5)
      head.writeUInt32BE(body.length, 1)
      events?.write(Buffer.concat([head, body]))
    },
    close: async () => {
      for (const session of sessions) session.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

function readFrames(stream: ServerHttp2Stream, onFrame: (frame: Buffer) => void): void {
  let left: Buffer = Buffer.alloc(0)
  stream.on('data', (chunk: Buffer) => {
    left = Buffer.concat([left, chunk])
    while (left.length >= 5 && left.length >= 5 + left.readUInt32BE(1)) {
      const end = 5 + left.readUInt32BE(1)
      onFrame(left.subarray(5, end))
      left = left.subarray(end)
    }
  })
}
