import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { placeFile } from '../../scripts/deploy/package/place-file.ts'
import type { RunCommand } from '../../scripts/deploy/run-command.ts'
import type { Session } from '../../scripts/deploy/session.ts'
import { bringPackage } from '../../scripts/deploy/stored-package.ts'
import { PLACEHOLDERS } from '../../scripts/deploy/target.ts'
import { record } from '../support/azure/record.ts'

const WHOLE = 'a whole package'
const SHA256 = createHash('sha256').update(WHOLE).digest('hex')

let packages: string
beforeEach(async () => {
  packages = await mkdtemp(join(tmpdir(), 'taskforce-packages-'))
  onTestFinished(() => rm(packages, { recursive: true }))
})

/** Downloads by `write`, as the Azure CLI does: into a file that is there from the first byte on. */
function bring(write: (file: string) => Promise<void>): Promise<string> {
  const run: RunCommand = async ({ args }) => {
    await write(args[args.indexOf('--file') + 1] ?? '')
    return ''
  }
  const to = record('a', '2026-11-27T09:00:00.000Z', { package: { blob: 'packages/a.zip', sha256: SHA256, bytes: 1 } })
  return bringPackage({ packages, run, environment: { shape: 'staging' } } as unknown as Session, PLACEHOLDERS, to)
}

describe('a package that is brought', () => {
  it('is whole for whoever has it, while another run brings the same one', async () => {
    const file = await bring((to) => writeFile(to, WHOLE))
    const again = await bring(async (to) => {
      await writeFile(to, WHOLE.slice(0, 5))
      expect(await readFile(file, 'utf8')).toBe(WHOLE)
      await writeFile(to, WHOLE)
    })
    expect(again).toBe(file)
    expect(await readdir(packages)).toEqual([`${SHA256}.zip`])
  })

  it('is refused where it is another, and takes no place', async () => {
    await bring((to) => writeFile(to, WHOLE))
    await expect(bring((to) => writeFile(to, 'another'))).rejects.toMatchObject({ code: 'package_damaged' })
    expect(await readdir(packages)).toEqual([`${SHA256}.zip`])
    expect(await readFile(join(packages, `${SHA256}.zip`), 'utf8')).toBe(WHOLE)
  })

  it('leaves nothing where the download fails', async () => {
    const failing = bring(async (to) => {
      await writeFile(to, 'hal')
      throw new Error('on purpose')
    })
    await expect(failing).rejects.toThrow('on purpose')
    expect(await readdir(packages)).toEqual([])
  })
})

it('a file is placed in a folder that is not there yet', async () => {
  const file = join(packages, 'new/check-deploy.cjs')
  await placeFile(file, (temporary) => writeFile(temporary, 'code'))
  expect(await readFile(file, 'utf8')).toBe('code')
})
