import { createHash } from 'node:crypto'
import { RetryableError, TerminalError } from '../domain/errors.ts'
import { parseArguments } from '../domain/control-tools/parse-arguments.ts'
import type { EventDraft, FileRef, ToolCall } from '../domain/event.ts'
import type { EffectiveProfile } from '../domain/profile.ts'
import { unknownOutcome } from '../domain/unknown-outcome.ts'
import { limitTime, untilAborted } from '../models/deadlines.ts'
import { boundedSources } from '../tools/sources.ts'
import type { Tool, ToolResult, Workspace } from '../tools/tool.ts'
import { DatabaseUnreachable } from './connection-patience.ts'
import type { EngineContext } from './context.ts'
import type { Hold } from './hold.ts'
import type { ClaimResult } from './ports.ts'

export interface ToolRun {
  missionId: string
  tenantId: string
  call: ToolCall
  key: string
  files: readonly FileRef[]
  profile: EffectiveProfile
  signal: AbortSignal
  hold: Pick<Hold, 'look'>
}

/** Attempts at a tool call that may pass and may be repeated. */
const ATTEMPTS = 3
/** A service that asks for more patience than this gets none: the model learns it and can wait at no cost. */
const LONGEST_PAUSE_MS = 30_000
const LARGEST_FILE = 8 * 1024 * 1024

/**
 * Runs one tool call. Gives what to record. Throws when the signal was aborted, and when the database stays out of reach:
 * that is no result of the call, which is made again by whoever moves the mission next.
 */
export async function runTool(context: EngineContext, run: ToolRun): Promise<EventDraft> {
  const begun = context.clock.monotonic()
  const base = () => ({
    callId: run.call.id,
    name: run.call.name,
    durationMs: Math.round(context.clock.monotonic() - begun),
  })
  const tool = context.tools.get(run.call.name)
  try {
    if (tool === undefined) throw notDeployed(run.call.name)
    const parsed = parseArguments(tool.input, run.call.arguments)
    if (!parsed.ok) throw new TerminalError('bad_arguments', parsed.reason)
    if (tool.effect === 'once') {
      const claim = await claimCall(context, run)
      if (claim.kind === 'taken') return unknown(run, begunBefore(claim))
    }
    const { text, files, sources } = await attempt(context, tool, run, parsed.value)
    const output = cut(text, tool.maxOutputBytes)
    return {
      type: 'tool.finished',
      data: { ...base(), effect: tool.effect, output, files, sources: sources && boundedSources(sources) },
    }
  } catch (error) {
    run.signal.throwIfAborted()
    // A tool's own connections may fail with the same codes, so the class tells whose it was.
    if (error instanceof DatabaseUnreachable) throw error
    const failure = describe(error, context, run)
    // Only its own refusal, or that of the claim, says that a `once` tool did nothing; a deadline or a broken connection leaves it open (fault F45).
    if (tool?.effect === 'once' && !(error instanceof TerminalError)) return unknown(run, failure.message)
    return { type: 'tool.failed', data: { ...base(), error: failure } }
  }
}

/** Whether a call would get as far as the tool itself. */
export function canRun(context: EngineContext, call: ToolCall): boolean {
  const tool = context.tools.get(call.name)
  return tool !== undefined && parseArguments(tool.input, call.arguments).ok
}

function unknown({ call, key, profile }: ToolRun, reason: string): EventDraft {
  return unknownOutcome(call, key, profile.unknownOutcomes ?? 'model', reason)
}

/** To be made before the call acts, and after `tool.started` is recorded: a crash in between leaves the outcome unknown. */
function claimCall(context: EngineContext, { missionId, key, call, signal }: ToolRun): Promise<ClaimResult> {
  return context.effects.claim({ missionId, key, tool: call.name, instance: context.instance }, signal)
}

/** Where the journal does not know of it, the database was set back to an earlier time. */
function begunBefore({ by }: Extract<ClaimResult, { kind: 'taken' }>): string {
  const who = by === undefined ? '' : `, as a call of ${by.tool} by the instance ${by.instance} at ${by.at}`
  return `It was not made now: it was begun before${who}, and the journal does not say how that ended.`
}

function notDeployed(name: string): TerminalError {
  return new TerminalError('unknown_tool', `The tool "${name}" is not part of this deployment. Go on without it.`)
}

/** Of the tool's own time limit; it is not tried again. */
class TimedOut extends Error {
  override readonly name = 'TimedOut'
}

async function attempt(context: EngineContext, tool: Tool, run: ToolRun, input: unknown): Promise<ToolResult> {
  for (let n = 1; ; n++) {
    run.hold.look()
    run.signal.throwIfAborted()
    const limited = limitTime(run.signal, tool.timeoutMs)
    try {
      const given = {
        signal: limited.signal,
        key: `${run.missionId}:${run.key}`,
        workspace: workspaceOf(context, run),
        egress: run.profile.egress,
      }
      // A tool that does not heed its signal must not hold the mission.
      return await untilAborted(tool.run(input, given), limited.signal)
    } catch (error) {
      run.signal.throwIfAborted()
      if (limited.isOver()) throw new TimedOut(`The tool took more than ${tool.timeoutMs / 1000} s and was stopped.`)
      if (!(error instanceof RetryableError) || tool.effect === 'once' || n === ATTEMPTS) throw error
      const pause = error.retryAfterMs ?? 500 * 2 ** n
      if (pause > LONGEST_PAUSE_MS) throw error
      await context.clock.sleep(pause, run.signal)
    } finally {
      limited.close()
    }
  }
}

function workspaceOf(context: EngineContext, run: ToolRun): Workspace {
  return {
    list: () => [...run.files],
    read: async (name) => {
      const file = run.files.find((other) => other.name === name)
      const bytes = file && (await context.contents.read(run.tenantId, file.sha256))
      if (bytes !== undefined) return bytes
      const there = run.files.map((other) => other.name).join(', ')
      throw new TerminalError('file_not_found', `There is no file "${name}". The workspace has: ${there || 'no file'}.`)
    },
    write: async (name, content) => {
      if (content.length > LARGEST_FILE)
        throw new TerminalError('too_large', `"${name}" has ${content.length} bytes; a file may have ${LARGEST_FILE}.`)
      const sha256 = createHash('sha256').update(content).digest('hex')
      await context.contents.store(run.tenantId, sha256, content)
      return { name, bytes: content.length, sha256 }
    },
  }
}

function cut(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text)
  if (bytes.length <= maxBytes) return text
  const head = new TextDecoder().decode(bytes.subarray(0, maxBytes), { stream: true })
  return `${head}\n[cut: ${bytes.length - Buffer.byteLength(head)} of ${bytes.length} bytes left out]`
}

/** A defect's own text may hold anything, so the model and the journal see only that there was one; the log has it. */
function describe(error: unknown, context: EngineContext, run: ToolRun) {
  if (error instanceof TerminalError) return { code: error.code, message: error.message, hint: error.hint }
  if (error instanceof RetryableError) return { code: error.code, message: error.message }
  if (error instanceof TimedOut) return { code: 'timeout', message: error.message }
  context.telemetry.toolCrashed({ missionId: run.missionId, tenantId: run.tenantId, tool: run.call.name, error })
  return { code: 'tool_crashed', message: `The tool "${run.call.name}" failed unexpectedly. Try another way.` }
}
