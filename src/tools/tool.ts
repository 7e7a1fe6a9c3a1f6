import type { z } from 'zod'
import type { FileRef, Source } from '../domain/event.ts'

/** Where a part of a result comes from, so that an answer can cite it: by `id`, a document's id or a page's URL. */
export type { Source }

/** `read`: repeat at will. `idempotent`: repeat with the same key. `once`: never repeat. */
export type Effect = 'read' | 'idempotent' | 'once'

/** A file of the mission's durable workspace; its bytes are stored once per hash. */
export type WorkspaceFile = FileRef

export interface Workspace {
  list(): WorkspaceFile[]
  /** Throws TerminalError `file_not_found`, naming the files that are there. */
  read(name: string): Promise<Buffer>
  /** Stores the bytes; the file is part of the workspace once the tool's result is recorded. Throws TerminalError `too_large` over 8 MiB. */
  write(name: string, content: Buffer): Promise<WorkspaceFile>
}

export interface ToolContext {
  /** Aborted when the mission is cancelled, taken over, or the tool's time is up. */
  signal: AbortSignal
  /** The same for every attempt at this call, and for no other call: pass it on where a service takes an idempotency key. */
  key: string
  workspace: Workspace
  egress: Egress
}

/** Origins (`https://host[:port]`) that the profile lets tools reach. */
export interface Egress {
  /** To read from; `*` alone means any public origin. */
  allow: string[]
  /** To send to; there is no `*` here. */
  post: string[]
}

export interface ToolResult {
  /** What the model reads; cut to the tool's `maxOutputBytes` with a note by the engine. */
  text: string
  /** Files that the call wrote. */
  files?: WorkspaceFile[]
  /** What the text was taken from; bounded by the engine (see sources.ts). */
  sources?: Source[]
}

/**
 * What an agent can do. `run` throws TerminalError with a message that the model can act on, RetryableError for what may
 * pass; anything else is a defect and is shown to the model as `tool_crashed` without its text. From a `once` tool only a
 * TerminalError says that nothing happened: after anything else, the time limit included, the outcome is recorded as unknown.
 */
export interface Tool<Input = unknown> {
  name: string
  description: string
  input: z.ZodType<Input>
  effect: Effect
  timeoutMs: number
  maxOutputBytes: number
  /** Whether a mission could do anything with it under these origins; absent: under any. One of no use is not offered. */
  usable?(egress: Egress): boolean
  run(input: Input, context: ToolContext): Promise<ToolResult>
}
