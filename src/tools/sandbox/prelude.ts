/**
 * Runs in QuickJS before the script, where all that handles its values belongs: a getter or a toJSON that never ends,
 * throws or eats memory meets the script's own limits. Nothing here guards anything, though. A script may change what it
 * finds, and the thread outside takes only strings of a bounded length from it.
 *
 * The value is a function of `emit` (a line of text), the files as JSON, and the limits. It gives `settle`, which awaits
 * a script's value, and `explain` for an error; both end in a string of JSON, an `Ending`.
 */
export const PRELUDE = String.raw`(emit, filesJson, resultBytes, lineChars) => {
  'use strict'
  const { stringify, parse } = JSON
  const { isArray, from } = Array
  const { isView } = ArrayBuffer
  const isFiniteNumber = Number.isFinite
  const toText = String
  const [ErrorType, PromiseType, RegExpType] = [Error, Promise, RegExp]
  const [MapType, SetType, WeakMapType] = [Map, Set, WeakMap]
  const slice = Function.prototype.call.bind(String.prototype.slice)
  const charCodeAt = Function.prototype.call.bind(String.prototype.charCodeAt)

  const attempt = (read, otherwise) => {
    try {
      return read()
    } catch {
      return otherwise
    }
  }
  const part = (text, chars) => {
    const code = charCodeAt(text, chars - 1)
    return slice(text, 0, code >= 0xd800 && code <= 0xdbff ? chars - 1 : chars)
  }
  const nameOf = (error) => {
    const name = attempt(() => toText(error.name), 'Error')
    const message = attempt(() => toText(error.message), '(its message cannot be read)')
    return part(message === '' ? name : name + ': ' + message, lineChars)
  }
  const readable = (value, copies) => {
    switch (typeof value) {
      case 'number':
        return isFiniteNumber(value) ? value : toText(value)
      case 'bigint':
      case 'symbol':
        return toText(value)
      case 'function':
        return '[function]'
      case 'object':
        if (value instanceof MapType || value instanceof SetType) return copyOf(value, copies)
        if (value instanceof ErrorType) return nameOf(value)
        if (value instanceof RegExpType) return toText(value)
        if (value instanceof PromiseType) return '[promise, not awaited]'
        return isView(value) ? from(value) : value
      default:
        return value
    }
  }
  // The same copy each time, so that a Map in itself is a cycle for JSON too, and not an endless depth.
  const copyOf = (collection, copies) => {
    const copy = copies.get(collection) || [...collection]
    copies.set(collection, copy)
    return copy
  }
  const toJson = (value) => {
    const copies = new WeakMapType()
    return stringify(value, (key, part) => readable(part, copies))
  }
  const frame = (ending) => stringify({ __proto__: null, ...ending })
  const failed = (stage, error, stack) => frame({ kind: 'failed', stage, error, stack: part(stack, lineChars) })
  const explain = (error, stage = 'script') => {
    if (typeof error === 'object' && error !== null && attempt(() => 'message' in error, false))
      return failed(stage, nameOf(error), attempt(() => toText(error.stack), ''))
    const thrown = attempt(() => toJson(error), undefined)
    return failed(stage, 'Thrown: ' + part(thrown === undefined ? toText(error) : thrown, lineChars), '')
  }

  const bytesOf = (text) => {
    let bytes = 0
    for (let index = 0; index < text.length; index++) {
      const code = charCodeAt(text, index)
      bytes += code < 0x80 ? 1 : code < 0x800 || (code >= 0xd800 && code <= 0xdfff) ? 2 : 3
    }
    return bytes
  }
  const fits = (text, room = resultBytes) => text.length <= room && bytesOf(text) <= room
  const leading = (items) => {
    let result = ''
    let room = resultBytes - 2
    for (let count = 0; count < items.length; count++) {
      const piece = (count === 0 ? '' : ',') + stringify(items[count])
      if (!fits(piece, room)) return { result: '[' + result + ']', count }
      room -= bytesOf(piece)
      result += piece
    }
  }
  const only = (kept, all, what) =>
    'Only the first ' + kept + ' of ' + all + ' ' + what + ' fit into one answer. Give back less.'
  const shorten = (text) => {
    const plain = parse(text)
    const first = isArray(plain) ? leading(plain) : undefined
    if (first && first.count > 0) {
      const note = only(first.count, plain.length, 'elements')
      return frame({ kind: 'done', result: first.result, note })
    }
    const whole = typeof plain === 'string' ? plain : text
    let beginning = part(whole, resultBytes)
    while (!fits(stringify(beginning))) beginning = part(beginning, (beginning.length * 3) >> 2)
    const what = typeof plain === 'string' ? 'text' : 'JSON (given here as text)'
    const note = only(beginning.length, whole.length, 'characters of the ' + what)
    return frame({ kind: 'done', result: stringify(beginning), note })
  }
  const write = (value) => {
    const text = toJson(value)
    if (text !== undefined) return fits(text) ? frame({ kind: 'done', result: text }) : shorten(text)
    const note = 'The code gave undefined. Write the value that you want back as the last line, such as: total'
    return frame({ kind: 'done', result: 'null', note })
  }
  const settle = async (completion) => {
    let value
    try {
      value = await (await completion).value
    } catch (error) {
      return explain(error)
    }
    try {
      return write(value)
    } catch (error) {
      return explain(error, 'result')
    }
  }

  const shown = (value) => {
    if (typeof value === 'string') return value
    const text = attempt(() => toJson(value), '[cannot be shown]')
    return text === undefined ? toText(value) : text
  }
  const log = (...values) => {
    let line = ''
    for (let index = 0; index < values.length; index++) line += (index === 0 ? '' : ' ') + shown(values[index])
    emit(part(line, lineChars))
  }
  globalThis.console = { log, info: log, warn: log, error: log, debug: log }
  globalThis.files = parse(filesJson)
  // Shared memory and waiting on it are of no use in one thread.
  delete globalThis.SharedArrayBuffer
  delete globalThis.Atomics
  return { settle, explain }
}`
