import { Command, InvalidArgumentError, Option } from 'commander'
import { answer } from './commands/answer.ts'
import { branch, type BranchOptions } from './commands/branch.ts'
import { cancel } from './commands/cancel.ts'
import { change, message } from './commands/change.ts'
import { files, type FilesOptions } from './commands/files.ts'
import { follow } from './commands/follow.ts'
import { list, type ListOptions } from './commands/list.ts'
import { show } from './commands/show.ts'
import { submit, type SubmitOptions } from './commands/submit.ts'
import type { Context, SharedOptions } from './context.ts'

const USAGE = `"GOAL" [--file F]... [--profile P] [--label NAME=VALUE]... [--limit NAME=N]... [--detach]
       npm run mission -- COMMAND [options]`

const GUIDE = `
What is piped in at a terminal, or comes from a file with <, goes along as stdin.txt, stdin.csv or stdin.json.
In scripts and in CI, a pipe is left alone. --file - takes it anywhere and waits for it as long as it takes.

Exit codes: 0 completed, 1 failed, 2 wrong usage, 3 refused because it would lose something, 4 cancelled,
5 waiting for a person and there is no terminal, 130 after Ctrl-C (the mission goes on).

Without --url, the environment that npm start runs is used; without one, a local one is started for the time
of the command. A goal that is one of the commands' names is submitted with: npm run mission -- submit list`

/** The command line; `done` is told the exit code of the command that ran. */
export function createProgram(context: Context, done: (code: number) => void): Command {
  const program = new Command('npm run mission --')
    .description('Submits a mission and follows it, or looks at existing ones.')
    .usage(USAGE)
    .helpCommand(false)
    .showHelpAfterError('A goal goes in quotes. Everything else is in: npm run mission -- --help')
    .option('--url <url>', 'where the API is')
    .option('--key <key>', 'API key (default: TASKFORCE_API_KEY)')
    .option('--data <folder>', 'data folder of the local environment', '.taskforce')
    .option('--json', 'JSON on standard output')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => void context.terminal.streams.stdout.write(text),
      writeErr: (text) => void context.terminal.streams.stderr.write(text),
    })
    .exitOverride()
    .addHelpText('after', GUIDE)
  addSubmit(program, context, done)
  addOthers(program, context, done)
  addChanges(program, context, done)
  addBranches(program, context, done)
  return program
}

function addSubmit(program: Command, context: Context, done: (code: number) => void): void {
  program
    .command('submit', { isDefault: true })
    .description('submits a goal; the word "submit" may be left out')
    .argument('<goal...>', 'what is to be done, in your words')
    .option('--file <file>', 'a file or a glob for the mission, - for standard input (again for more)', collect, [])
    .option('--profile <name>', 'the agent profile')
    .option('--label <name=value>', 'a label (again for more)', collectLabel, [])
    .option('--limit <name=value>', 'steps=N, tokens=N, costUsd=N or wallMs=N (again for more)', collectLimit, [])
    .option('--detach', 'only submits')
    .action(async (words: string[], _options: unknown, command: Command) => {
      // After the explicit word, further words are an unquoted goal that begins with it, such as `submit my tax report`.
      const explicit = program.args[0] === 'submit' && words.length > 1
      const goal = words.join(' ').trim()
      if (explicit || goal === '') {
        command.error(`error: put the goal in quotes: npm run mission -- "${explicit ? `submit ${goal}` : 'GOAL'}"`)
      }
      done(await submit(context, goal, command.optsWithGlobals<SubmitOptions>()))
    })
}

/** Of missions (contracts page, "HTTP"). */
const STATUSES = ['queued', 'running', 'waiting', 'paused', 'completed', 'failed', 'cancelled']

function addOthers(program: Command, context: Context, done: (code: number) => void): void {
  const onMission = missionCommands(program)
  onMission('show', 'prints the journal as a timeline').action(async (id: string, _: unknown, command: Command) =>
    done(await show(context, id, command.optsWithGlobals<SharedOptions>())),
  )
  onMission('follow', 'shows the steps and stays until the end').action(
    async (id: string, _: unknown, command: Command) =>
      done(await follow(context, id, command.optsWithGlobals<SharedOptions>())),
  )
  onMission('cancel', 'cancels the mission').action(async (id: string, _: unknown, command: Command) =>
    done(await cancel(context, id, command.optsWithGlobals<SharedOptions>())),
  )
  onMission('answer', 'answers a question of the mission')
    .argument('<question-id>')
    .argument('<json>', 'the answer as JSON; a text needs its own quotes')
    .action(async (id: string, questionId: string, json: string, _: unknown, command: Command) =>
      done(await answer(context, id, questionId, json, command.optsWithGlobals<SharedOptions>())),
    )
  onMission('files', "lists the mission's files")
    .option('--to <folder>', 'writes them to a folder')
    .option('--replace', 'also over files that differ')
    .action(async (id: string, _: unknown, command: Command) =>
      done(await files(context, id, command.optsWithGlobals<FilesOptions>())),
    )
  program
    .command('list')
    .description('lists missions, the newest first')
    .option('--limit <number>', 'how many, 1 to 100', pageSize, 20)
    .addOption(new Option('--status <status>', 'only those that are so').choices(STATUSES))
    .option('--cursor <cursor>', 'goes on where a page ended')
    .action(async (_: unknown, command: Command) => done(await list(context, command.optsWithGlobals<ListOptions>())))
}

function missionCommands(program: Command): (name: string, description: string) => Command {
  return (name, description) =>
    program.command(name).description(description).argument('<id>', 'the mission', missionId)
}

function addChanges(program: Command, context: Context, done: (code: number) => void): void {
  const onMission = missionCommands(program)
  for (const [how, description] of [
    ['pause', 'starts nothing new until it is resumed'],
    ['resume', 'lets a paused mission go on'],
  ] as const) {
    onMission(how, description).action(async (id: string, _: unknown, command: Command) =>
      done(await change(context, how, id, command.optsWithGlobals<SharedOptions>())),
    )
  }
  onMission('message', 'tells the mission something more')
    .argument('<text>', 'in quotes')
    .action(async (id: string, text: string, _: unknown, command: Command) =>
      done(await message(context, id, text, command.optsWithGlobals<SharedOptions>())),
    )
}

/** Each makes a new mission, and follows it as `submit` does. */
function addBranches(program: Command, context: Context, done: (code: number) => void): void {
  const onMission = (name: string, description: string): Command =>
    missionCommands(program)(name, description)
      .option('--limit <name=value>', 'steps=N, tokens=N, costUsd=N or wallMs=N (again for more)', collectLimit, [])
      .option('--detach', 'only submits')
  onMission('retry', 'a failed or cancelled mission once more, as a new one').action(
    async (id: string, _: unknown, command: Command) =>
      done(await branch(context, 'retry', id, undefined, command.optsWithGlobals<BranchOptions>())),
  )
  onMission('continue', 'an ended mission with something new to do, as a new one')
    .argument('<text>', 'in quotes')
    .action(async (id: string, text: string, _: unknown, command: Command) =>
      done(await branch(context, 'continue', id, text, command.optsWithGlobals<BranchOptions>())),
    )
  onMission('fork', 'a second mission beside any other, from one of its events on')
    .argument('[text]', 'something new to do, in quotes')
    .option('--seq <number>', 'the last event that both share (default: the newest)', eventNumber)
    .action(async (id: string, text: string | undefined, _: unknown, command: Command) =>
      done(await branch(context, 'fork', id, text, command.optsWithGlobals<BranchOptions>())),
    )
}

function collect(value: string, before: string[]): string[] {
  return [...before, value]
}

function collectLabel(text: string, before: [string, string][]): [string, string][] {
  return [...before, splitPair(text)]
}

function collectLimit(text: string, before: [string, number | string][]): [string, number | string][] {
  const [name, value] = splitPair(text)
  // Money stays text, as in the API.
  if (name === 'costUsd' && /^\d{1,12}(\.\d{1,12})?$/.test(value)) return [...before, [name, value]]
  if (['steps', 'tokens', 'wallMs'].includes(name) && /^[1-9]\d{0,14}$/.test(value))
    return [...before, [name, Number(value)]]
  throw new InvalidArgumentError('It takes steps=N, tokens=N, costUsd=N or wallMs=N with a positive number.')
}

function splitPair(text: string): [string, string] {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('It has the form name=value.')
  return [text.slice(0, at), text.slice(at + 1)]
}

function missionId(text: string): string {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) return text.toLowerCase()
  throw new InvalidArgumentError(
    'A mission id looks like 0198f6a0-1234-7abc-8def-0123456789ab. If this was a goal, put it in quotes.',
  )
}

function eventNumber(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It takes the number of an event, from 1.')
}

function pageSize(text: string): number {
  if (/^\d{1,3}$/.test(text) && Number(text) >= 1 && Number(text) <= 100) return Number(text)
  throw new InvalidArgumentError('It takes a number from 1 to 100.')
}
