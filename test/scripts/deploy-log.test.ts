import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, it, onTestFinished } from 'vitest'
import { createLog } from '../../scripts/deploy/deploy-log.ts'
import { createNotes } from '../../scripts/deploy/running-commands.ts'

const NOW = new Date('2026-11-29T10:00:00.000Z')

let folder: string
let said: string[]
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'taskforce-log-'))
  said = []
  onTestFinished(() => rm(folder, { recursive: true }))
})

const tell = (line: string) => void said.push(line)

/** Linux's own disk that is always full. */
const FULL = '/dev/full'

it.skipIf(!existsSync(FULL))('a log on a full disk says so once, and goes on saying the rest', () => {
  const log = createLog(FULL, '/dev', tell, () => NOW)
  log.write('one')
  log.say('two')
  log.say('three')
  expect(said).toEqual([
    "The log full can't be written, and lacks what is done from here on: ENOSPC: no space left on device, write",
    'two',
    'three',
  ])
})

it('notes of what runs that can not be written stop nothing, and are told of once', async () => {
  const inTheWay = join(folder, 'file')
  await writeFile(inTheWay, '')
  const note = createNotes(join(inTheWay, 'deploy.log'), tell)
  note(process.pid, 'az one')()
  const end = note(process.pid, 'az two')
  // Nor does one that can't be taken away.
  end()
  expect(said).toEqual([expect.stringMatching(/^What runs can't be noted, .*: (?:EEXIST|ENOTDIR): /)])
  expect(await readdir(folder)).toEqual(['file'])
})
