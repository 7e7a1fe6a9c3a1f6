import { z } from 'zod'
import { TerminalError } from '../domain/errors.ts'
import { decodeText } from './decode-text.ts'
import { describeFailure } from './sandbox/describe-failure.ts'
import { runScript, SCRIPT_LIMITS, type ScriptLimits } from './sandbox/run-script.ts'
import type { Outcome } from './sandbox/script.ts'
import { createSlots, type Slots } from './sandbox/slots.ts'
import type { Tool, Workspace } from './tool.ts'

const MIB = 1024 * 1024
const MOST_FILE_BYTES = 2 * MIB

/**
 * Of this process: four scripts at a time, which take 400 MiB at most (measured with bombs). The others wait in the order
 * in which they came, at no cost of their own 5 s, which begin in their thread. The tool's 60 s hold the longest wait, the
 * hard stop at 10 s and 5 s to spare; who waited longer gets `sandbox_busy`, and the engine tries again.
 */
const processSlots = createSlots(4, 45_000)

const input = z.strictObject({
  code: z
    .string()
    .min(1)
    .max(65_536)
    .describe(
      'JavaScript (ES2023). The value of its last expression is the result: end with a line such as "total" or "({ total, rows })", with no return around it. await works.',
    ),
  files: z
    .array(z.string().min(1).max(200))
    .max(10)
    .optional()
    .describe(
      'Names of text files in the workspace, together up to 2 MiB. The code finds their text in the object files, such as files["sales.csv"].',
    ),
})

export interface RunJavascriptDependencies {
  /** Replaced by tests. */
  limits?: ScriptLimits
  slots?: Slots
  execute?: typeof runScript
}

/** Runs code in QuickJS in a thread of its own: see sandbox/run-script.ts. */
export function createRunJavascript({
  limits = SCRIPT_LIMITS,
  slots = processSlots,
  execute = runScript,
}: RunJavascriptDependencies = {}): Tool<z.infer<typeof input>> {
  return {
    name: 'run_javascript',
    description:
      'Runs JavaScript in a closed sandbox, for up to 5 seconds and in 64 MiB, and returns JSON with its result, and with logs when it used console.log. Only plain JavaScript exists there: no network, no modules (require, import), no timers (setTimeout), no process, no files but those named, and nothing is kept from one call to the next. For parsing, text, dates and logic; numbers are binary floating point, so use calculate or query_table for money and exact sums.',
    input,
    effect: 'read',
    timeoutMs: 60_000,
    maxOutputBytes: 65_536,
    async run({ code, files = [] }, { signal, workspace }) {
      const names = [...new Set(files)]
      checkSizes(names, workspace)
      // Files are read when it is their call's turn: 256 calls in line with 2 MiB each would hold 1 GB as strings.
      const outcome = await slots.run(signal, async () => {
        return execute({ code, files: await readFiles(names, workspace) }, signal, limits)
      })
      return { text: render(outcome, limits) }
    },
  }
}

function checkSizes(names: string[], workspace: Workspace): void {
  const sizes = new Map(workspace.list().map(({ name, bytes }) => [name, bytes]))
  const total = names.reduce((sum, name) => sum + (sizes.get(name) ?? 0), 0)
  if (total > MOST_FILE_BYTES) {
    throw new TerminalError(
      'too_large',
      `The files have ${(total / MIB).toFixed(1)} MiB together; a call takes 2 MiB. Name fewer files, or use query_table or read_file for the big ones.`,
    )
  }
}

async function readFiles(names: string[], workspace: Workspace): Promise<Record<string, string>> {
  const texts = await Promise.all(
    names.map(async (name) => [name, decodeText(name, await workspace.read(name))] as const),
  )
  // fromEntries defines properties, so a file called __proto__ is one like any other.
  return Object.fromEntries(texts)
}

function render(outcome: Outcome, limits: ScriptLimits): string {
  if (outcome.kind !== 'done') throw describeFailure(outcome, limits)
  const { result, note, logs } = outcome
  const more = { note, logs: logs.length > 0 ? logs : undefined }
  const rest = JSON.stringify(more).slice(1, -1)
  // The result is JSON already; reading and writing it here could change its numbers' digits.
  return `{"result":${result}${rest && `,${rest}`}}`
}
