import { z } from 'zod'
import { TerminalError } from '../domain/errors.ts'
import { clashOf, newFileName } from './file-name.ts'
import type { Tool } from './tool.ts'

const input = z.strictObject({
  name: newFileName.describe(
    'Name of the file, 1 to 200 characters, such as "report.md" or "drafts/letter.txt". No leading slash or dot.',
  ),
  content: z.string().describe('The whole text of the file. It replaces what the file held before.'),
})

/** Writes a text file; the same call again leaves the same file, so it may be repeated. */
export const writeFile: Tool<z.infer<typeof input>> = {
  name: 'write_file',
  description:
    "Writes a text file (UTF-8, up to 8 MiB) into this mission's workspace, replacing a file of the same name.",
  input,
  effect: 'idempotent',
  timeoutMs: 60_000,
  maxOutputBytes: 4096,
  async run({ name, content }, { workspace }) {
    const clash = clashOf(
      name,
      workspace.list().map((file) => file.name),
    )
    if (clash !== undefined) {
      const reason = `"${name}" and "${clash}" can't both be there: one would be a file where the other has a folder.`
      throw new TerminalError('name_taken', `${reason} Choose another name.`)
    }
    const file = await workspace.write(name, Buffer.from(content, 'utf8'))
    return { text: `Wrote ${file.name} (${file.bytes} bytes).`, files: [file] }
  },
}
