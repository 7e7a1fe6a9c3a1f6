import variant from '@jitl/quickjs-singlefile-cjs-release-sync'
import {
  newQuickJSWASMModuleFromVariant,
  newVariant,
  type QuickJSContext,
  type QuickJSHandle,
} from 'quickjs-emscripten-core'
import { createLogs, type Logs } from './logs.ts'
import { PRELUDE } from './prelude.ts'
import { ANSWER_CHARS, LINE_CHARS, RESULT_BYTES, SCRIPT, type Ending, type Outcome, type Script } from './script.ts'

interface WasmMemory {
  readonly buffer: ArrayBuffer
  grow(pages: number): number
}

/** Node has it, but its types come with the browser's only. */
const { Memory } = (globalThis as unknown as { WebAssembly: { Memory: MemoryConstructor } }).WebAssembly
type MemoryConstructor = new (pages: { initial: number; maximum: number }) => WasmMemory

const MIB = 1024 * 1024
/** What the script's values may take: a 2 MiB CSV file with its rows as objects takes about 20 MiB. */
const HEAP_BYTES = 64 * MIB
/** All of QuickJS, with its stack of 5 MiB and its heap's gaps: bombs of small objects reached 125 MiB with 64 in use. */
const MEMORY_BYTES = 96 * MIB
const PAGE_BYTES = 65_536
/** Gives 12,000 calls of a plain function, as Node has. The thread's own stack must be larger: see run-script.ts. */
const STACK_BYTES = 2 * MIB
/** QuickJS's flag for `await` at the top of a script; the package passes flags on, but has no name for this one. */
const EVAL_ASYNC = 128
/** Jobs (steps of promises) between two looks at the clock. */
const JOBS = 1000

/** Runs a script to its end. For a thread that is thrown away after: QuickJS is left as it is, and may be broken. */
export async function evaluate({ code, files, deadlineMs }: Script): Promise<Outcome> {
  const wasmMemory = new Memory({ initial: 256, maximum: MEMORY_BYTES / PAGE_BYTES })
  const exhausted = () => wasmMemory.buffer.byteLength >= HEAP_BYTES
  const quickjs = await newQuickJSWASMModuleFromVariant(newVariant(variant.default, { wasmMemory }))
  const runtime = quickjs.newRuntime({ memoryLimitBytes: HEAP_BYTES, maxStackSizeBytes: STACK_BYTES })
  const context = runtime.newContext()
  const logs = createLogs()
  const prelude = runPrelude(context, files, logs)

  const end = performance.now() + deadlineMs
  const isLate = () => performance.now() > end
  // Once late it stays so: a script that catches the interruption, as a rejected promise, is interrupted again.
  runtime.setInterruptHandler(isLate)
  const ended = (ending: Ending): Outcome => ({ ...(isLate() ? { kind: 'timeout' } : ending), logs: logs.lines() })
  try {
    const started = context.evalCode(code, SCRIPT, EVAL_ASYNC)
    if (started.error) return ended(endingOf(context, call(context, prelude.explain, started.error), exhausted))
    const settled = call(context, prelude.settle, started.value)
    while (!isLate() && runtime.hasPendingJob()) runtime.executePendingJobs(JOBS)
    const state = settled && context.getPromiseState(settled)
    if (state?.type === 'pending') return ended({ kind: exhausted() ? 'out_of_memory' : 'unsettled' })
    return ended(endingOf(context, state?.type === 'fulfilled' ? state.value : undefined, exhausted))
  } catch (error) {
    const ending = endingOfThrown(error, exhausted())
    if (ending === undefined) throw error
    return ended(ending)
  }
}

/** The only thing that a script can reach out here is `emit`, which takes a short string and gives nothing. */
function runPrelude(context: QuickJSContext, files: Script['files'], logs: Logs) {
  const emit = context.newFunction('emit', (line) => logs.add(readString(context, line, LINE_CHARS)))
  const given = [
    context.newString(JSON.stringify(files)),
    context.newNumber(RESULT_BYTES),
    context.newNumber(LINE_CHARS),
  ]
  const prelude = context.unwrapResult(context.evalCode(PRELUDE, 'sandbox'))
  const tools = context.unwrapResult(context.callFunction(prelude, context.undefined, emit, ...given))
  return { settle: context.getProp(tools, 'settle'), explain: context.getProp(tools, 'explain') }
}

function call(context: QuickJSContext, fn: QuickJSHandle, value: QuickJSHandle): QuickJSHandle | undefined {
  const result = context.callFunction(fn, context.undefined, value)
  return result.error ? undefined : result.value
}

/** A string of at most `most` characters; undefined for everything else, without running anything of the script. */
function readString(context: QuickJSContext, handle: QuickJSHandle | undefined, most: number): string | undefined {
  if (handle === undefined || context.typeof(handle) !== 'string') return undefined
  return context.getNumber(context.getProp(handle, 'length')) <= most ? context.getString(handle) : undefined
}

const UNREADABLE: Ending = { kind: 'failed', stage: 'result', error: 'the code changed what writes it', stack: '' }

/** What the prelude wrote. It is checked where it arrives; here it only has to be an object. */
function endingOf(context: QuickJSContext, handle: QuickJSHandle | undefined, exhausted: () => boolean): Ending {
  const text = readString(context, handle, ANSWER_CHARS)
  if (text === undefined) return exhausted() ? { kind: 'out_of_memory' } : UNREADABLE
  const ending = parseObject(text) as Ending | undefined
  if (ending?.kind !== 'failed') return ending ?? UNREADABLE
  // With no memory left for an error QuickJS throws null.
  const starved = ending.error === 'Thrown: null' && exhausted()
  return starved || /^InternalError: (out of memory|string too long)/.test(ending.error)
    ? { kind: 'out_of_memory' }
    : ending
}

function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

/** What broke QuickJS itself: a recursion that it does not count (its parser's), or no memory where it needs some. */
function endingOfThrown(error: unknown, exhausted: boolean): Ending | undefined {
  if (error instanceof RangeError)
    return { kind: 'failed', stage: 'script', error: 'InternalError: stack overflow', stack: '' }
  return exhausted ? { kind: 'out_of_memory' } : undefined
}
