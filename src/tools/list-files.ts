import { z } from 'zod'
import type { Tool } from './tool.ts'

const input = z.strictObject({})

/** Names and sizes of the workspace's files, sorted by name. */
export const listFiles: Tool<z.infer<typeof input>> = {
  name: 'list_files',
  description: "Lists the files of this mission's workspace with their sizes in bytes.",
  input,
  effect: 'read',
  timeoutMs: 10_000,
  maxOutputBytes: 65_536,
  run(_input, { workspace }) {
    const files = workspace
      .list()
      .map(({ name, bytes }) => ({ name, bytes }))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
    return Promise.resolve({ text: JSON.stringify({ files }) })
  },
}
