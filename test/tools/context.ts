import { createHash } from 'node:crypto'
import { TerminalError } from '../../src/domain/errors.ts'
import type { Tool, ToolContext, WorkspaceFile } from '../../src/tools/tool.ts'

/** A context over an in-memory workspace, with files given as text or bytes. */
export function contextWith(files: Record<string, string | Buffer> = {}, allow: string[] = []): ToolContext {
  const contents = new Map<string, Buffer>(Object.entries(files).map(([name, content]) => [name, Buffer.from(content)]))
  return {
    signal: new AbortController().signal,
    key: 'mission:1',
    egress: { allow, post: allow },
    workspace: {
      list: () => [...contents].map(([name, content]) => fileOf(name, content)),
      read(name) {
        const content = contents.get(name)
        if (content) return Promise.resolve(content)
        return Promise.reject(
          new TerminalError('file_not_found', `${name}: there are ${[...contents.keys()].join(', ')}`),
        )
      },
      write(name, content) {
        contents.set(name, content)
        return Promise.resolve(fileOf(name, content))
      },
    },
  }
}

function fileOf(name: string, content: Buffer): WorkspaceFile {
  return { name, bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') }
}

/** Calls a tool as the engine does: arguments through its schema first. */
export async function call(tool: Tool, args: unknown, context: ToolContext): Promise<string> {
  return (await tool.run(tool.input.parse(args), context)).text
}
