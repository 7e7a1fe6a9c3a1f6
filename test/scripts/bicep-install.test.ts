import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findBicep, installedBicep } from '../../scripts/bicep/find-bicep.ts'
import { BICEP_VERSION, packageFor, projectFor } from '../../scripts/bicep/package.ts'

let root: string
beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'bicep-install-'))))
afterEach(() => rmSync(root, { recursive: true, force: true }))

const linux = () => ({ root, platform: 'linux', arch: 'x64' }) as const

function program(file: string, mode = 0o755): string {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, '')
  chmodSync(file, mode)
  return file
}

function install(words: string[], path: string) {
  const script = resolve('scripts/bicep-install.ts')
  const env = { HOME: root, PATH: path, NO_COLOR: '1' }
  return spawnSync(process.execPath, [script, ...words], { cwd: root, encoding: 'utf8', env })
}

describe('the compiler', () => {
  it('is the one of bicep:install before one on PATH, since the snapshots were made with its version', () => {
    const onPath = program(join(root, 'bin', 'bicep'))
    const place = { ...linux(), path: ['', join(root, 'nothing'), join(root, 'bin')].join(delimiter) }
    expect(findBicep(place)).toBe(onPath)
    const ours = program(installedBicep(linux()) ?? '')
    expect(findBicep(place)).toBe(ours)
    expect(ours).toContain(BICEP_VERSION)
  })

  it('is not there where nothing may be run', () => {
    program(join(root, 'bin', 'bicep'), 0o644)
    expect(findBicep({ ...linux(), path: join(root, 'bin') })).toBeUndefined()
  })

  it('comes in a package for each platform that NuGet has one for', () => {
    expect(packageFor('linux', 'x64')).toMatch(/linux-x64$/)
    expect(packageFor('darwin', 'arm64')).toMatch(/osx-arm64$/)
    expect(packageFor('darwin', 'x64')).toMatch(/osx-x64$/)
    expect(packageFor('win32', 'x64')).toMatch(/win-x64$/)
    expect(packageFor('sunos', 'x64')).toBeUndefined()
    expect(installedBicep({ root, platform: 'win32', arch: 'x64' })).toMatch(/bicep\.exe$/)
    expect(projectFor('A.B')).toContain(`<PackageDownload Include="A.B" Version="[${BICEP_VERSION}]" />`)
  })
})

describe.runIf(process.platform === 'linux' && process.arch === 'x64')('npm run bicep:install', () => {
  it('says what to do where there is no dotnet', () => {
    const { status, stdout, stderr } = install(['--json'], join(root, 'bin'))
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toContain('there is no dotnet on this machine')
    expect(stderr).toContain('az bicep install')
  })

  it('says what dotnet says', () => {
    const dotnet = program(join(root, 'bin', 'dotnet'))
    writeFileSync(dotnet, '#!/bin/sh\necho "bicep.csproj : error NU1301: no route to the source"\nexit 1\n')
    const { status, stderr } = install([], `${join(root, 'bin')}${delimiter}/bin`)
    expect(status).toBe(1)
    expect(stderr).toContain('error NU1301: no route to the source')
  })

  it('leaves one alone that is there', () => {
    const path = program(installedBicep(linux()) ?? '')
    const { status, stdout } = install(['--json'], join(root, 'bin'))
    expect(status).toBe(0)
    expect(JSON.parse(stdout)).toEqual({ version: BICEP_VERSION, path })
  })

  it('refuses words that it does not know', () => {
    expect(install(['--what'], join(root, 'bin')).status).toBe(2)
  })
})
