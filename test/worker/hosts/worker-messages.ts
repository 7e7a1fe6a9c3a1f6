import type { Field, Message } from './protobuf.ts'

/**
 * The messages between Functions host and worker that a host of our three triggers needs, by field number. The protocol is
 * Microsoft's: FunctionRpc.proto in azure-functions-language-worker-protobuf (MIT). Numbers there never change.
 */
const text = (name: string): Field => ({ name, kind: 'string' })
const number = (name: string): Field => ({ name, kind: 'uint' })
const group = (name: string, message: Message): Field => ({ name, kind: 'message', message })
const groups = (name: string, message: Message): Field => ({ name, kind: 'message', message, repeated: true })
const texts = (name: string): Field => ({ name, kind: 'map', value: text('value') })

const exception: Message = { 1: text('stackTrace'), 2: text('message') }

/** 0 failure, 1 success, 2 cancelled; proto3 leaves a 0 out. */
const result = group('result', { 2: group('exception', exception), 4: number('status') })

const typedData: Message = {
  1: text('string'),
  2: text('json'),
  3: { name: 'bytes', kind: 'bytes' },
  5: group('http', {}),
  6: { name: 'int', kind: 'sint' },
}

const functionMetadata: Message = {
  4: text('name'),
  10: { ...text('rawBindings'), repeated: true },
  13: text('functionId'),
}

export const streamingMessage: Message = {
  1: text('requestId'),
  2: group('rpcLog', { 1: text('invocationId'), 2: text('category'), 3: number('level'), 4: text('message') }),
  4: group('invocationRequest', {
    1: text('invocationId'),
    2: text('functionId'),
    3: groups('inputData', { 1: text('name'), 2: group('data', typedData) }),
    4: { name: 'triggerMetadata', kind: 'map', value: group('value', typedData) },
  }),
  5: group('invocationResponse', { 1: text('invocationId'), 3: result }),
  8: group('functionLoadRequest', { 1: text('functionId'), 2: group('metadata', functionMetadata) }),
  9: group('functionLoadResponse', { 1: text('functionId'), 2: result }),
  14: group('workerTerminate', { 1: group('gracePeriod', { 1: number('seconds') }) }),
  16: group('workerInitResponse', { 2: texts('capabilities'), 3: result }),
  17: group('workerInitRequest', {
    1: text('hostVersion'),
    2: texts('capabilities'),
    4: text('workerDirectory'),
    5: text('functionAppDirectory'),
  }),
  20: group('startStream', { 2: text('workerId') }),
  25: group('functionEnvironmentReloadRequest', { 1: texts('environmentVariables'), 2: text('functionAppDirectory') }),
  26: group('functionEnvironmentReloadResponse', { 2: texts('capabilities'), 3: result }),
  29: group('functionsMetadataRequest', { 1: text('functionAppDirectory') }),
  30: group('functionMetadataResponse', { 1: groups('functionMetadataResults', functionMetadata), 2: result }),
}

export interface Result {
  status?: number
  exception?: { message?: string; stackTrace?: string }
}

/** What a worker may send, as far as it is read. */
export interface FromWorker {
  requestId?: string
  startStream?: { workerId?: string }
  rpcLog?: { invocationId?: string; category?: string; level?: number; message?: string }
  workerInitResponse?: { capabilities?: Record<string, string>; result?: Result }
  functionEnvironmentReloadResponse?: { capabilities?: Record<string, string>; result?: Result }
  functionMetadataResponse?: {
    functionMetadataResults?: { name: string; functionId: string; rawBindings: string[] }[]
    result?: Result
  }
  functionLoadResponse?: { functionId?: string; result?: Result }
  invocationResponse?: { invocationId?: string; result?: Result }
}
