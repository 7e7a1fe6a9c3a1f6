import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { zip } from '../../scripts/deploy/package/zip.ts'
import { recordBlob, type DeploymentRecord } from '../../scripts/deploy/records.ts'
import { main as deployments } from '../../scripts/deployments/main.ts'
import { createCloud, type Cloud } from '../support/azure/cloud.ts'
import { record } from '../support/azure/record.ts'

const NEWER = record('b', '2026-11-28T09:00:00.000Z', { build: 'b' })
// Two of one package, which was deployed again.
const OLDER = record('a', '2026-11-27T09:00:00.000Z', { build: 'a' })
const OLDEST = record('a', '2026-11-26T09:00:00.000Z', { build: 'a' })

let cloud: Cloud
const folder = () => join(cloud.cwd, '../cloud')
beforeEach(async () => {
  cloud = await createCloud()
  const outputs = JSON.parse(await readFile(join(folder(), 'outputs.json'), 'utf8')) as object
  const own = { AZURE_LOCATION: 'westeurope', TASKFORCE_ENVIRONMENT: 'staging' }
  await cloud.set('groups.json', { 'rg-taskforce-staging': { ...outputs, ...own } })
  for (const one of [NEWER, OLDER, OLDEST]) await cloud.setBlob(recordBlob(one), JSON.stringify(one))
})

/** By whomever, so that the records may say something else. */
async function publish(build: string): Promise<void> {
  const bytes = zip([{ name: 'dist/build.json', bytes: Buffer.from(JSON.stringify({ build })) }])
  await mkdir(join(folder(), 'published'))
  await writeFile(join(folder(), 'published/func-app.zip'), bytes)
}

describe('npm run deployments', () => {
  it.each([
    ['what the records say, where the app does not answer', undefined, [true, false, false]],
    ['what the app answers with, in the newest record of it', 'a', [false, true, false]],
    ['none, where no record tells of what the app answers with', 'c', [false, false, false]],
  ])('marks %s, in its lines and in its JSON', async (_, build, marks) => {
    if (build !== undefined) await publish(build)
    const { stdout: lines } = await cloud.run(deployments, 'staging')
    const { stdout: json } = await cloud.run(deployments, 'staging', '--json')
    expect(
      lines
        .trimEnd()
        .split('\n')
        .map((line) => line.startsWith('→')),
    ).toEqual(marks)
    const listed = JSON.parse(json) as (DeploymentRecord & { isRunning: boolean })[]
    expect(listed).toEqual([NEWER, OLDER, OLDEST].map((one, at) => ({ ...one, isRunning: marks[at] })))
  })

  it('goes on where its log can not be written, and says that once', async () => {
    await writeFile(join(cloud.cwd, '.taskforce'), 'in place of the folder')
    const { code, stdout, stderr } = await cloud.run(deployments, 'staging')
    expect({ code, lines: stdout.trimEnd().split('\n').length }).toEqual({ code: 0, lines: 3 })
    expect(stderr.match(/^The log .*/gm)).toEqual([
      expect.stringMatching(
        /^The log \.taskforce\/deployments-staging-\w+\.log can't be written, .*: (?:EEXIST|ENOTDIR): /,
      ),
    ])
    expect(stderr.match(/^What runs can't be noted, .*/gm)).toHaveLength(1)
  })
})
