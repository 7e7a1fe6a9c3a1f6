import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

export type Json = Record<string, unknown>

/** What is in Azure, as files of a folder that tests may change. */
export class CloudFiles {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  at(...parts: string[]): string {
    return join(this.#folder, ...parts)
  }

  has(file: string): boolean {
    return existsSync(this.at(file))
  }

  read<T>(file: string, otherwise: T): T {
    return this.has(file) ? (JSON.parse(readFileSync(this.at(file), 'utf8')) as T) : otherwise
  }

  write(file: string, value: unknown): void {
    writeFileSync(this.at(file), JSON.stringify(value))
  }

  remove(file: string): void {
    rmSync(this.at(file), { force: true })
  }

  /** By group: what the shell of its last deployment gave. */
  get shells(): Record<string, Json> {
    return this.read('from-shell.json', {})
  }

  /** By group: where it is. */
  get regions(): Record<string, string> {
    return this.read('group-regions.json', {})
  }

  /** Groups, and the outputs of what came to its end in each. */
  get groups(): Record<string, Json | null> {
    return this.read('groups.json', {})
  }

  get metadata(): Json {
    return this.read('metadata.json', {})
  }

  get blobs(): string[] {
    if (!this.has('blobs')) return []
    const names = readdirSync(this.at('blobs'), { recursive: true, encoding: 'utf8' })
    return names.filter((name) => /\.(zip|json)$/.test(name))
  }
}

export function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true })
  copyFileSync(from, to)
}
