/** One call of a program, with no shell between. */
export interface Command {
  program: 'az' | 'git'
  args: string[]
  /** Its standard output is a secret, or holds one, and is neither kept nor shown; why it failed is. */
  secret?: true
  /** Meets role assignments that may be minutes old, so a refusal is waited for. */
  patient?: true
  /** Where a network or a missing right keeps it out, nobody waits for that. */
  asksOnce?: true
  /** What it says, beside the refusals that every patient command waits for, while what it asks starts. */
  notYet?: RegExp
  /** Runs though this run was interrupted, and to its end: it takes back or records what was begun. */
  clearsUp?: true
  /** When it is ended, with all that it started. One without a limit has no network to wait for. */
  limitMs?: number
  /** Set in the environment that it runs in, or with undefined not set there. */
  env?: Record<string, string | undefined>
  /** People read its output while it runs. */
  shown?: true
}

export type Flags = Record<string, string>

const MINUTE_MS = 60_000

/** The longest that calls of the Azure CLI take; one that hangs would hold a deployment, and its drain, for ever. */
export const LIMITS = {
  /** Of what reads, and of what changes one thing. */
  usual: 3 * MINUTE_MS,
  /** Of a package, up or down, or into an app; and of what-if, which asks each resource. */
  long: 15 * MINUTE_MS,
  /** Of the whole infrastructure: a server of Postgres with a standby takes half an hour. */
  infrastructure: 120 * MINUTE_MS,
} as const

/** One that is ended after three minutes, unless it is given another limit. */
export function az(verb: string, flags: Flags): Command {
  const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value])
  return { program: 'az', args: [...verb.split(' '), ...args], limitMs: LIMITS.usual }
}

/** One that meets roles that may be minutes old. */
export function patient(verb: string, flags: Flags): Command {
  return { ...az(verb, flags), patient: true }
}

/** What stands for a later answer in a dry run. */
const PLACEHOLDER = /\$[A-Z][A-Z0-9_]*/g

/** As a person could type it, with the `$NAME` of a dry run as they are. */
export function lineOf({ program, args }: Command): string {
  return [program, ...args.map((arg) => quote(arg, arg.replaceAll(PLACEHOLDER, 'NAME')))].join(' ')
}

/**
 * One argument, to be typed. As it is, or in double quotes, it is right in bash, zsh, PowerShell and cmd.exe (but for `%NAME%` there).
 * With a sign that one of them reads within double quotes it stands in single quotes, right in bash, zsh and PowerShell (7.3 or newer
 * where it has a double quote): cmd.exe has no way that the others know too. Where it has such a sign and a single quote, no two
 * kinds of shell agree, and it is for bash and zsh.
 */
export function wordOf(arg: string): string {
  return quote(arg, arg)
}

/** Right everywhere without quotes: a comma makes two words in PowerShell, as an equals sign or @ in front is more than that elsewhere. */
const PLAIN = /^(?:--[\w-]+|[\w./][\w./:=@-]*)$/
/** A backslash before a letter is one in all of them. PowerShell ends a text at quotes of books too. */
const NOT_IN_DOUBLE_QUOTES = /["“”„$`!]|\\(?!\w)/

/** @param read what decides about quotes */
function quote(arg: string, read: string): string {
  if (PLAIN.test(read)) return arg
  return NOT_IN_DOUBLE_QUOTES.test(read) ? `'${arg.replaceAll("'", String.raw`'\''`)}'` : `"${arg}"`
}
