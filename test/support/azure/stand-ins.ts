import { chmod, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import { playAz, type AzCall } from './play-az.ts'

/**
 * Puts a program `az` in `bin`, which hands its words to this process and prints what that answers: a real process that can be killed, at
 * a tenth of what starting Node costs (3 ms where that takes 40, some 45 times a deployment). Answers how it ends.
 * @param read names of variables whose values matter
 */
export async function putAz(bin: string, cloud: string, read: readonly string[]): Promise<() => Promise<void>> {
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket.on('close', () => open.delete(socket)))
    void serve(socket, cloud)
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as AddressInfo
  await putProgram(bin, 'az', azOf(port, read))
  return async () => {
    for (const socket of open) socket.destroy()
    await new Promise((closed) => server.close(closed))
  }
}

/** @param script of bash, which starts fast and is there wherever these tests run */
export async function putProgram(bin: string, name: string, script: string): Promise<void> {
  const file = join(bin, name)
  await writeFile(file, `#!/bin/bash\n${script}`)
  await chmod(file, 0o755)
}

/** Each word ends with a null; the answer is a script that prints it. */
function azOf(port: number, read: readonly string[]): string {
  return `exec 3<>/dev/tcp/127.0.0.1/${port} || exit 9
{
  printf '%s\\0' "$$" "$#" "$@"
  for name in ${read.join(' ')}; do [ -z "\${!name+x}" ] || printf '%s\\0' "$name=\${!name}"; done
  printf '\\0'
} >&3
IFS= read -r -d '' -u 3 answer
eval "\${answer:-exit 9}"
`
}

async function serve(socket: Socket, cloud: string): Promise<void> {
  const ended = new AbortController()
  socket.on('close', () => ended.abort()).on('error', () => ended.abort())
  try {
    const call = await readCall(socket)
    const { code, stdout, stderr } = await playAz(cloud, { ...call, gone: ended.signal })
    socket.end(`printf %s ${quoted(stdout)}\nprintf %s ${quoted(stderr)} >&2\nexit ${code}\n`)
  } catch (error) {
    if (ended.signal.aborted) return
    socket.end(`printf %s ${quoted(`the stand-in for az failed: ${String(error)}`)} >&2\nexit 9\n`)
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

async function readCall(socket: Socket): Promise<Omit<AzCall, 'gone'>> {
  let text = ''
  socket.setEncoding('utf8')
  for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<string>) {
    text += chunk
    const [pid = '', count = '', ...rest] = text.split('\0')
    const env = rest.slice(Number(count))
    // What ends it, and what split makes of that.
    if (count === '' || env.length < 2 || env.at(-2) !== '') continue
    const variables = env
      .slice(0, -2)
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)])
    // Read on, so that its end is seen.
    socket.resume()
    return { pid, args: rest.slice(0, Number(count)), env: Object.fromEntries(variables) as Record<string, string> }
  }
  throw new Error('az hung up')
}
