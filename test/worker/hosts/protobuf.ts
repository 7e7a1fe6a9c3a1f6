/** Protocol Buffers' wire format, as far as the Functions worker's messages need it (protobuf.dev, "Encoding"). */
export type Message = Record<number, Field>
export type Field = { name: string; repeated?: boolean } & (
  | { kind: 'string' | 'bytes' | 'uint' | 'sint' }
  /** A map with string keys is a list of entries on the wire, key in field 1 and value in field 2. */
  | { kind: 'map'; value: Field }
  | { kind: 'message'; message: Message }
)
export type Values = Record<string, unknown>

const [VARINT, FIXED64, LENGTH, FIXED32] = [0, 1, 2, 5]

export function encode(message: Message, values: Values): Buffer {
  return Buffer.concat(
    Object.entries(message).flatMap(([number, field]) => {
      const value = values[field.name]
      if (value === undefined || value === null) return []
      return itemsOf(field, value).map((item) => encodeField(Number(number), field, item))
    }),
  )
}

function itemsOf(field: Field, value: unknown): unknown[] {
  if (field.kind === 'map') return Object.entries(value as object)
  return field.repeated === true ? (value as unknown[]) : [value]
}

function encodeField(number: number, field: Field, value: unknown): Buffer {
  if (field.kind === 'map') {
    const [key, item] = value as [string, unknown]
    return sized(number, Buffer.concat([sized(1, Buffer.from(key)), encodeField(2, field.value, item)]))
  }
  if (field.kind === 'message') return sized(number, encode(field.message, value as Values))
  if (field.kind === 'string') return sized(number, Buffer.from(value as string))
  if (field.kind === 'bytes') return sized(number, value as Buffer)
  const integer = BigInt(value as number)
  const tag = varint(BigInt((number << 3) | VARINT))
  return Buffer.concat([tag, varint(field.kind === 'sint' ? zigzag(integer) : integer)])
}

function sized(number: number, content: Buffer): Buffer {
  return Buffer.concat([varint(BigInt((number << 3) | LENGTH)), varint(BigInt(content.length)), content])
}

function varint(value: bigint): Buffer {
  const bytes: number[] = []
  for (let rest = value; ; rest >>= 7n) {
    if (rest < 128n) return Buffer.from([...bytes, Number(rest)])
    bytes.push(Number(rest & 127n) | 128)
  }
}

function zigzag(value: bigint): bigint {
  return BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
}

/** Fields that the message does not list are skipped, so that a newer worker's additions do no harm. */
export function decode(message: Message, bytes: Buffer): Values {
  const values: Values = {}
  for (const [number, content] of fieldsOf(bytes)) {
    const field = message[number]
    if (field !== undefined) put(values, field, content)
  }
  return values
}

function put(values: Values, field: Field, content: Buffer | bigint): void {
  if (field.kind === 'map') {
    const entry = decode(
      { 1: { name: 'key', kind: 'string' }, 2: { ...field.value, name: 'value' } },
      content as Buffer,
    )
    values[field.name] = {
      ...(values[field.name] as object),
      [(entry['key'] as string | undefined) ?? '']: entry['value'],
    }
  } else if (field.repeated === true) {
    values[field.name] = [...((values[field.name] as unknown[] | undefined) ?? []), decodeField(field, content)]
  } else {
    values[field.name] = decodeField(field, content)
  }
}

function decodeField(field: Exclude<Field, { kind: 'map' }>, content: Buffer | bigint): unknown {
  if (typeof content === 'bigint') return Number(field.kind === 'sint' ? (content >> 1n) ^ -(content & 1n) : content)
  if (field.kind === 'message') return decode(field.message, content)
  return field.kind === 'string' ? content.toString('utf8') : content
}

function* fieldsOf(bytes: Buffer): Generator<[number: number, content: Buffer | bigint]> {
  let at = 0
  const readVarint = () => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes.readUInt8(at++)
      value |= BigInt(byte & 127) << shift
      if (byte < 128) return value
    }
  }
  const take = (length: number) => bytes.subarray(at, (at += length))
  while (at < bytes.length) {
    const tag = Number(readVarint())
    const wireType = tag & 7
    const number = tag >>> 3
    if (wireType === VARINT) yield [number, readVarint()]
    else if (wireType === LENGTH) yield [number, take(Number(readVarint()))]
    else if (wireType === FIXED64) yield [number, take(8)]
    else if (wireType === FIXED32) yield [number, take(4)]
    else throw new Error(`The worker sent a field of wire type ${wireType}, which no message of the protocol has.`)
  }
}
