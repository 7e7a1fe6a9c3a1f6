/** How a program is started: file, arguments, and whether Node passes them on as they are. */
export interface SpawnForm {
  file: string
  args: string[]
  windowsVerbatimArguments?: true
}

/** Of cmd.exe. */
const META = /([()\][%!^"`<>&|;, *?])/g

/**
 * On Windows the Azure CLI is a batch file, which Node starts through cmd.exe alone; no shell parses anything elsewhere. Every
 * argument is quoted for the program and then, twice, for cmd.exe, which reads the line when it is called and when the batch file
 * passes it on (after cross-spawn).
 */
export function spawnForm(program: string, args: readonly string[], platform: NodeJS.Platform): SpawnForm {
  if (platform !== 'win32' || program !== 'az') return { file: program, args: [...args] }
  const line = ['az.cmd', ...args.map((arg) => forCmd(forCmd(quoted(arg))))].join(' ')
  return { file: 'cmd.exe', args: ['/d', '/s', '/c', `"${line}"`], windowsVerbatimArguments: true }
}

/** A backslash is one, unless it stands before a quote. */
function quoted(arg: string): string {
  return `"${arg.replace(/(\\*)"/g, '$1$1\\"').replace(/(\\*)$/, '$1$1')}"`
}

function forCmd(text: string): string {
  return text.replace(META, '^$1')
}
