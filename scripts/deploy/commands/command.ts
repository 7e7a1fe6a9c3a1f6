/** One call of a program, with no shell between. */
export interface Command {
  program: 'az' | 'git'
  args: string[]
  /** Its output is a secret, or holds one: nothing of it is kept or shown. */
  secret?: true
  /** Meets role assignments that may be minutes old, so a refusal is waited for. */
  patient?: true
  /** Where a network or a missing right keeps it out, nobody waits for that. */
  asksOnce?: true
  /** What it says, beside the refusals that every patient command waits for, while what it asks starts. */
  notYet?: RegExp
  /** Runs though this run was interrupted, and to its end: it takes back or records what was begun. */
  clearsUp?: true
  /** When it is ended, with all that it started. */
  limitMs?: number
  /** Set in the environment that it runs in, or with undefined not set there. */
  env?: Record<string, string | undefined>
  /** People read its output while it runs. */
  shown?: true
}

export type Flags = Record<string, string>

export function az(verb: string, flags: Flags): Command {
  const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value])
  return { program: 'az', args: [...verb.split(' '), ...args] }
}

/** One that meets roles that may be minutes old. */
export function patient(verb: string, flags: Flags): Command {
  return { ...az(verb, flags), patient: true }
}

/** As a person could type it. */
export function lineOf({ program, args }: Command): string {
  return [program, ...args.map(wordOf)].join(' ')
}

/** One argument of it. */
export function wordOf(arg: string): string {
  return /^[\w./:=$@,-]+$/.test(arg) ? arg : `"${arg}"`
}
