import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { main as deploy } from '../../scripts/deploy/main.ts'
import { STAGES } from '../../scripts/deploy/stages.ts'
import { CODE_REVISION } from '../../src/db/schema-revision.ts'
import { version } from '../../src/version.ts'
import { createCloud, MIGRATOR_KEY, type Cloud } from '../support/azure/cloud.ts'

let cloud: Cloud
beforeEach(async () => {
  cloud = await createCloud()
})

const FIRST = 'a'.repeat(40)

async function deployed(commit: string): Promise<void> {
  cloud.source.commit = commit
  const { code, stdout, stderr } = await cloud.run(deploy, 'staging', '--yes')
  expect({ code, stderr, stdout }).toMatchObject({ code: 0, stderr: '' })
}

describe('npm run deploy', () => {
  it('goes through all stages into an empty subscription, and says what runs where', async () => {
    const { code, stdout } = await cloud.run(deploy, 'staging', '--yes')
    expect(code).toBe(0)
    const stages = [...stdout.matchAll(/^✔ (\S+) +[\d.]+ m?s$/gm)].map(([, stage]) => stage)
    expect(stages).toEqual(STAGES)
    expect(stdout).toContain('+ 42 to create')
    expect(stdout).toContain('inside the virtual network')
    expect(stdout.trimEnd()).toMatch(new RegExp(`${version} runs in staging: ${cloud.apps.url}$`))
    expect(cloud.apps.running()).toBe(cloud.packageOf(FIRST))
    expect(cloud.apps.asked.map(({ action }) => action)).toEqual([
      'status',
      'expand',
      'drain',
      'drain',
      'drain',
      'resume',
      'all',
    ])
    expect(cloud.apps.database).toMatchObject({ revision: CODE_REVISION, drain: null })
    expect(cloud.apps.asked[1]).toEqual({ action: 'expand', codeRevision: CODE_REVISION })
  })

  describe('runs the commands that the dry run prints, in that order', () => {
    const verbs = (lines: string[]) => lines.map((line) => line.replace(/^az /, '').replace(/ --.*/, ''))
    const planned = async (without: RegExp) => {
      const { stdout } = await cloud.run(deploy, 'staging', '--dry-run')
      return verbs(stdout.split('\n').filter((line) => line.startsWith('az ') && !without.test(line)))
    }

    it('into an empty subscription', async () => {
      const lines = await planned(/# where (?:.*deployed before|.*left its lock|.*401|.*too little|.*fails)/)
      await deployed(FIRST)
      expect(verbs(await cloud.calls())).toEqual(lines)
    })

    it('with a lock to take over, little quota, another key, and a package that has to go back', async () => {
      await deployed(FIRST)
      cloud.source.commit = 'b'.repeat(40)
      // Its hash is known once it was built.
      await cloud.fail('sub what-if')
      await cloud.run(deploy, 'staging', '--yes')
      cloud.apps.broken.add(cloud.packageOf(cloud.source.commit))
      await cloud.set('stale.json', 'until it starts anew')
      await cloud.set('usage.json', [
        { name: { value: 'OpenAI.GlobalStandard.gpt-5.4-mini' }, currentValue: 500, limit: 500 },
      ])
      const lock = { id: 'x', who: 'grace@example.com', machine: 'her-laptop', since: '2026-11-29T08:00:00.000Z' }
      await writeFile(join(cloud.cwd, '../cloud/blobs/staging/lock.json'), JSON.stringify(lock))
      const lines = await planned(
        /# where (?:it is the first|there is none|the app does not know it|the new package works|.*storage kept out)/,
      )
      const before = (await cloud.calls()).length
      const { stderr } = await cloud.run(deploy, 'staging', '--yes', '--take-over')
      expect(stderr).toContain('It went back to')
      expect(verbs((await cloud.calls()).slice(before))).toEqual(lines)
    })
  })

  it('keeps every key out of its log, its records and what it prints', async () => {
    const first = await cloud.run(deploy, 'staging', '--yes')
    const key = await readFile(join(cloud.cwd, '../cloud/secret'), 'utf8')
    expect(key).toMatch(/^[\w-]{43}$/)
    await cloud.fail('--name func-app --src', `ERROR: ${MIGRATOR_KEY} ${key}`)
    const second = await cloud.run(deploy, 'staging', '--yes')
    expect(second.code).toBe(1)
    const all = [await cloud.written(), first.stdout, first.stderr, second.stdout, second.stderr].join('\n')
    expect(all).toContain('config-zip')
    for (const secret of [MIGRATOR_KEY, key]) expect(all).not.toContain(secret)
    expect((await cloud.calls()).join('\n')).not.toContain(key)
  })

  it.each([
    ['nobody', [], 2],
    ['moon', ['moon'], 2],
    ['no terminal to ask', ['staging'], 3],
    ['another subscription', ['staging', '--yes', '--subscription', 'other'], 3],
  ])('%s: exit code', async (_, words, code) => {
    expect((await cloud.run(deploy, ...words)).code).toBe(code)
  })
})
