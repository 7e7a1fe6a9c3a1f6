import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { REMEMBERED } from '../../scripts/deploy/parameters/remember.ts'

/** What the README has for plain az is run as it is, beside an az that answers like one of an environment which is there. */

const [, block = ''] = /```sh\n(\(\n[^]*?\n\)\n)```/.exec(readFileSync('README.md', 'utf8')) ?? []

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'taskforce-plain-az-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** Answers the state, then a value for each name; both commands that change something write down what they were given. */
async function standIn(state: string, values: Record<string, string>): Promise<void> {
  const answers = Object.entries(values).map(([name, value]) => `*value.${name}*) echo '${value}';;`)
  await writeFile(
    join(folder, 'az'),
    `#!/bin/sh
case "$*" in
  *provisioningState*) echo '${state}';;
  ${answers.join('\n  ')}
  *'sub create'*) env > '${join(folder, 'given')}';;
esac
`,
    { mode: 0o755 },
  )
  await writeFile(join(folder, 'npm'), `#!/bin/sh\necho "$*" > '${join(folder, 'npm-words')}'\n`, { mode: 0o755 })
}

async function paste(shell: string, exported: Record<string, string> = {}) {
  const env = { PATH: [folder, process.env.PATH].join(delimiter), ...exported }
  const code = await new Promise<number>((done) => {
    execFile(shell, ['-c', block], { env }, (error) => done(error === null ? 0 : Number(error.code)))
  })
  const read = (name: string) => readFile(join(folder, name), 'utf8').catch(() => undefined)
  const lines = (await read('given'))?.trim().split('\n')
  const given = lines?.filter((line) => REMEMBERED.some((name) => line.startsWith(`${name}=`))).toSorted()
  return { code, given, npm: (await read('npm-words'))?.trim() }
}

describe.each(['sh', 'bash'])('plain az in %s', (shell) => {
  it('gives what the deployment before was given', async () => {
    const values: Record<string, string> = { POSTGRES_SERVER_ID: '/subscriptions/x', OPERATOR_GROUP_ID: 'people' }
    await standIn('Succeeded', values)
    const { code, given, npm } = await paste(shell)
    expect({ code, npm }).toEqual({ code: 0, npm: 'run deploy -- dev --skip-infra' })
    expect(given).toEqual(REMEMBERED.map((name) => `${name}=${values[name] ?? ''}`).toSorted())
  })

  it('keeps what is exported, also an empty one', async () => {
    await standIn('Succeeded', { POSTGRES_SERVER_ID: '/subscriptions/x', OPERATOR_GROUP_ID: 'people' })
    const { given } = await paste(shell, { OPERATOR_GROUP_ID: 'others', POSTGRES_SERVER_ID: '' })
    expect(given).toEqual(expect.arrayContaining(['OPERATOR_GROUP_ID=others', 'POSTGRES_SERVER_ID=']))
  })

  it.each(['', 'Running', 'Failed'])(
    'deploys nothing where the state is %j, since az then prints no value',
    async (state) => {
      await standIn(state, {})
      expect(await paste(shell)).toEqual({ code: 1, given: undefined, npm: undefined })
    },
  )
})
