import type { FileRef } from './event.ts'
import type { MissionState } from './state.ts'

/**
 * The workspace after a call wrote these files. Calls of one answer run side by side, and the model meant them in its own
 * order: of two that write the same file the later one in the answer wins, whichever was recorded first.
 */
export function withFiles(
  state: MissionState,
  callId: string,
  written: readonly FileRef[],
): Pick<MissionState, 'files' | 'fileWriters'> {
  const index = state.calls.find(({ call }) => call.id === callId)?.index ?? -1
  const beaten = (name: string) => state.fileWriters.some((other) => other.name === name && other.index > index)
  const files = written.filter(({ name }) => !beaten(name))
  const names = new Set(files.map(({ name }) => name))
  return {
    files: [...state.files.filter(({ name }) => !names.has(name)), ...files],
    fileWriters: [
      ...state.fileWriters.filter(({ name }) => !names.has(name)),
      ...[...names].map((name) => ({ name, index })),
    ],
  }
}
