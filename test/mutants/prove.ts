import { spawn } from 'node:child_process'
import { z } from 'zod'
import type { Mutant, Proof } from './list.ts'
import type { Tree } from './tree.ts'

/** What became of a mutant. */
export interface Verdict {
  mutant: string
  caught: boolean
  /** The simulation, the simulation on SQL, or the crash sweep. */
  by: string
  /** All rules that were found broken. */
  rules: string[]
  /** How many histories it took, or at which point. */
  where: string
  /** Why it was not caught. */
  why?: string
  ms: number
}

/** A proof that takes longer than this hangs: the slowest takes 20 s on two quiet cores, and took 240 s on two with 20 others at work. */
const WITHIN_MS = 900_000
/** Histories that break other rules alone are passed over, so many times. */
const MOST_ROUNDS = 5

const SCRIPTS = { sim: 'test/sim/main.ts', crash: 'test/crash/main.ts' } as const

const countsSchema = z.object({
  histories: z.number().optional(),
  lost: z.number(),
  duplicated: z.number(),
  gaps: z.number(),
  stuck: z.number(),
  illegal: z.number(),
})

interface Round {
  /** Nothing was found to be wrong, with exit code 0. */
  passed: boolean
  rules: string[]
  /** Histories that were looked at. */
  histories: number
}

/** Runs the mutant's proof in a tree that it is built into. Caught is one whose rule the proof finds broken, nothing else. */
export async function prove({ folder }: Pick<Tree, 'folder'>, { name, proof, rule }: Mutant): Promise<Verdict> {
  const begun = performance.now()
  const found = new Set<string>()
  let histories = 0
  const verdict = (caught: boolean, why?: string): Verdict => {
    const where = proof.kind === 'crash' ? pointOf(proof) : `${histories} ${histories === 1 ? 'history' : 'histories'}`
    const ms = Math.round(performance.now() - begun)
    return { mutant: name, caught, by: nameOf(proof), rules: [...found], where, why, ms }
  }
  try {
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const one = await runOnce(folder, later(proof, histories))
      histories += one.histories
      for (const broken of one.rules) found.add(broken)
      if (one.passed) return verdict(false, `The proof passed, and ${rule} should have been broken.`)
      if (one.rules.includes(rule)) return verdict(true)
      if (proof.kind === 'crash') break
    }
    return verdict(false, `${[...found].join(', ')} was broken, and ${rule} should have been.`)
  } catch (error) {
    return verdict(false, error instanceof Error ? error.message : String(error))
  }
}

/** @throws Error where the proof itself came to nothing */
async function runOnce(folder: string, { kind, args }: Proof): Promise<Round> {
  const { code, text, errors } = await run(folder, [SCRIPTS[kind], ...args])
  const counts = readCounts(text)
  if (counts === undefined) throw new Error(`The proof ended with ${code} and without a report: ${errors.slice(-600)}`)
  const { histories = 0, ...violations } = counts
  const total = Object.values(violations).reduce((sum, number) => sum + number, 0)
  if (total > 0 && code === 1) return { passed: false, rules: readRules(text), histories }
  if (total === 0 && code === 0) return { passed: true, rules: [], histories }
  throw new Error(`The proof found ${total} violations and ended with ${code}: ${errors.slice(-600)}`)
}

interface Ran {
  code: number | string
  text: string
  errors: string
}

function run(folder: string, args: readonly string[]): Promise<Ran> {
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  let [text, errors, late] = ['', '', false]
  child.stdout.setEncoding('utf8').on('data', (more: string) => (text += more))
  child.stderr.setEncoding('utf8').on('data', (more: string) => (errors += more))
  // With all that it has started.
  const kill = () => void (child.pid !== undefined && process.kill(-child.pid, 'SIGKILL'))
  const interrupted = () => {
    kill()
    process.exit(1)
  }
  process.on('SIGINT', interrupted).on('SIGTERM', interrupted)
  const timer = setTimeout(() => {
    late = true
    kill()
  }, WITHIN_MS)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      process.off('SIGINT', interrupted).off('SIGTERM', interrupted)
      if (late) reject(new Error(`The proof did not come to an end within ${WITHIN_MS / 1000} s.`))
      else resolve({ code: code ?? signal ?? 'nothing', text, errors })
    })
  })
}

/** Of the report that both proofs print as their last line. */
function readCounts(text: string): z.infer<typeof countsSchema> | undefined {
  const last = text.trimEnd().split('\n').at(-1) ?? ''
  if (!last.startsWith('{')) return undefined
  return countsSchema.safeParse(JSON.parse(last)).data
}

/** Lines such as "  I4, duplicated: 2" of the report's table. */
function readRules(text: string): string[] {
  const table = text.slice(text.lastIndexOf('\nViolations:\n'))
  const lines = table.matchAll(/^ {2}(\w+), (?:lost|duplicated|gaps|stuck|illegal): \d+$/gm)
  return [...new Set([...lines].flatMap(([, rule]) => rule ?? []))]
}

/** The same proof behind so many histories. */
function later({ kind, args }: Proof, histories: number): Proof {
  if (histories === 0) return { kind, args }
  const moved = args.map((arg, index) => {
    if (args[index - 1] === '--seed') return String(Number(arg) + histories)
    return args[index - 1] === '--histories' ? String(Math.max(1, Number(arg) - histories)) : arg
  })
  return { kind, args: moved }
}

function nameOf({ kind, args }: Proof): string {
  if (kind === 'crash') return 'crash sweep'
  return args.includes('postgres') ? 'simulation on SQL' : 'simulation'
}

function pointOf({ args }: Proof): string {
  return args[args.indexOf('--point') + 1] ?? args.join(' ')
}
