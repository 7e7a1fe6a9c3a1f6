import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { version } from '../../version.ts'
import type { Built } from './build-bundle.ts'

/**
 * Lays out in `folder` what a function app on Azure is given, as azd takes it: the host's settings, a manifest without
 * dependencies, and the bundle.
 */
export function stagePackage({ entry }: Built, folder = '.azure-package'): void {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  cpSync('host.json', join(folder, 'host.json'))
  cpSync(dirname(entry), join(folder, 'dist'), { recursive: true })
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'taskforce', version, main: 'dist/index.cjs' }))
}
