import type { ToolCallPiece } from './completion-chunk.ts'
import type { ToolCallRequest } from './model.ts'

/** Tool calls under assembly, in the order in which they began. */
export interface ToolCallAssembly {
  calls: { index: number | undefined; id: string; name: string; arguments: string }[]
}

/**
 * Adds a streamed piece to the call that it belongs to, and returns how many characters that added. OpenAI gives every
 * piece an index, and id and name only to the first. Others repeat id and name, leave out ids or indexes, some only after
 * the first piece, or send several whole calls all under index 0.
 */
export function addToolCallPiece(assembly: ToolCallAssembly, piece: ToolCallPiece): number {
  const index = piece.index ?? undefined
  const id = piece.id ?? ''
  const name = piece.function?.name ?? ''
  const call = findCall(assembly, { index, id, name }) ?? startCall(assembly, index)
  const before = call.id.length + call.name.length
  call.id ||= id
  call.name ||= name
  const text = textOf(piece.function?.arguments)
  call.arguments += text
  return call.id.length + call.name.length - before + text.length
}

/**
 * The finished calls. Each id is unique: `newId` replaces a missing one and a repeated one (fault F39), because a tool's
 * result names its call by id. No arguments at all means no parameters: `{}`.
 */
export function finishToolCalls(assembly: ToolCallAssembly, newId: () => string): ToolCallRequest[] {
  const seen = new Set<string>()
  return assembly.calls.map((call) => {
    const id = call.id && !seen.has(call.id) ? call.id : newId()
    seen.add(id)
    return { id, name: call.name, arguments: call.arguments.trim() === '' ? '{}' : call.arguments }
  })
}

function findCall({ calls }: ToolCallAssembly, piece: { index: number | undefined; id: string; name: string }) {
  // Two indexes that differ are two calls, whatever their ids (fault F39); a missing one fits any.
  const fits = (index: number | undefined) => index === undefined || piece.index === undefined || index === piece.index
  const sameId = piece.id ? calls.findLast((call) => call.id === piece.id && fits(call.index)) : undefined
  if (sameId) return sameId
  const last = piece.index === undefined ? calls.at(-1) : calls.findLast((call) => call.index === piece.index)
  if (!last || (piece.id && last.id)) return undefined
  const startsAnother = piece.name !== '' && last.name !== '' && isWholeJson(last.arguments)
  return startsAnother ? undefined : last
}

function startCall(assembly: ToolCallAssembly, index: number | undefined) {
  const call = { index, id: '', name: '', arguments: '' }
  assembly.calls.push(call)
  return call
}

function textOf(value: string | Record<string, unknown> | null | undefined): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : (value ?? '')
}

/** Arguments are an object. Asked for each piece, so a megabyte in pieces must not be parsed each time. */
function isWholeJson(text: string): boolean {
  if (!text.trimEnd().endsWith('}')) return false
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
