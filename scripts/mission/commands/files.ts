import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, relative, resolve, isAbsolute } from 'node:path'
import { requestBytes, requestJson } from '../api.ts'
import { exit, type Context, type SharedOptions } from '../context.ts'
import { CommandError, RefusedError } from '../errors.ts'
import { withApi, type Place } from '../locate.ts'
import { filePageSchema, type MissionFile } from '../schemas.ts'
import { displayWidth, fit, oneLine, size } from '../text.ts'
import { fromUser } from '../from-user.ts'

export interface FilesOptions extends SharedOptions {
  to?: string
  replace?: boolean
}

/** Lists a mission's files, or writes them to a folder. */
export function files(context: Context, id: string, options: FilesOptions): Promise<number> {
  const { terminal } = context
  return withApi(context, options, async (place) => {
    const { raw, value } = await requestJson(place.api, filePageSchema, `missions/${id}/files`)
    if (options.to !== undefined) await download(context, place, id, value.items, { ...options, to: options.to })
    if (options.json === true) terminal.json(raw)
    else if (options.to === undefined) terminal.print(renderFiles(value.items))
    return exit.done
  })
}

function renderFiles(items: MissionFile[]): string[] {
  if (items.length === 0) return ['The mission has no files.']
  const widest = Math.max(...items.map(({ name }) => displayWidth(oneLine(name))))
  return items.map(({ name, bytes }) => `${fit(oneLine(name), widest)}  ${size(bytes)}`)
}

/** Reads all files before it writes the first, so that a refusal leaves the folder as it was. */
async function download(
  context: Context,
  { api }: Place,
  id: string,
  items: MissionFile[],
  options: FilesOptions & { to: string },
): Promise<void> {
  const wanted: { path: string; content: Buffer }[] = []
  for (const file of items) {
    const path = targetPath(options.to, file.name)
    const content = await requestBytes(api, `missions/${id}/files/${encodeURIComponent(file.name)}`)
    if (file.sha256 !== undefined && createHash('sha256').update(content).digest('hex') !== file.sha256) {
      throw new CommandError(
        `${oneLine(file.name)} changed while it was read. Nothing was written; call the command again.`,
      )
    }
    const there = await readFile(path).catch(() => undefined)
    if (there !== undefined && !there.equals(content) && options.replace !== true) {
      throw new RefusedError(`${path} is there already with other content. Use --replace, or another folder with --to.`)
    }
    wanted.push({ path, content })
  }
  for (const { path, content } of wanted) {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, content)
    if (options.json !== true) context.terminal.print([`${relative('', path)}  ${size(content.length)}`])
  }
}

/** A file's name was chosen by a model: it must not lead out of the folder. */
function targetPath(folder: string, name: string): string {
  const root = fromUser(folder)
  const path = resolve(root, name)
  const inside = relative(root, path)
  if (inside !== '' && !inside.startsWith('..') && !isAbsolute(inside) && !name.includes('\0')) return path
  throw new CommandError(`The file ${oneLine(name)} would land outside ${folder}. Nothing was written.`)
}
