import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { choosePackage } from '../../scripts/deploy/choose-package.ts'
import { SHAPES, environmentOf } from '../../scripts/deploy/environments.ts'
import { buildPackage } from '../../scripts/deploy/package/build-package.ts'
import { packageBlob } from '../../scripts/deploy/package/package-blob.ts'
import { readZipEntry } from '../../scripts/deploy/package/unzip.ts'
import { zip } from '../../scripts/deploy/package/zip.ts'
import { planDeploy, planRollback } from '../../scripts/deploy/plan.ts'
import { runningRecord, type DeploymentRecord } from '../../scripts/deploy/records.ts'
import { requireFit } from '../../scripts/deploy/require-fit.ts'
import { spawnForm } from '../../scripts/deploy/spawn-form.ts'
import { recoveryOf, STAGES } from '../../scripts/deploy/stages.ts'
import { PLACEHOLDERS, readTarget } from '../../scripts/deploy/target.ts'
import { CODE_REVISION } from '../../src/db/schema-revision.ts'

const PLACE = { location: 'westeurope', time: '$TIME' }

describe('the dry run', () => {
  it.each(SHAPES)('of %s is this', async (name) => {
    const environment = environmentOf(name, PLACE)
    const lines = ['# deploy', ...planDeploy(environment, {}), '# rollback', ...planRollback(environment, {})]
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(`../scripts/deploy-plans/${name}.txt`)
  })

  it('of a rollback without the migrator asks it nothing', () => {
    const lines = planRollback(environmentOf('staging', PLACE), { withoutMigrator: true }).join('\n')
    expect(lines).not.toMatch(/MIGRATOR/)
    expect(lines).toContain('config-zip --resource-group $AZURE_RESOURCE_GROUP --name $AZURE_FUNCTION_APP_NAME')
  })

  it('without the infrastructure leaves it out', () => {
    const lines = planDeploy(environmentOf('staging', PLACE), { skipInfra: true }).join('\n')
    expect(lines).not.toMatch(/what-if|sub create|provider list/)
    expect(lines).toContain('az deployment group show --resource-group rg-taskforce-staging --name taskforce-outputs')
  })
})

describe('how a program is started', () => {
  it('is as it is written, on Linux and macOS', () => {
    const args = ['--query', "[?a=='b'].name", '--name', 'two words']
    expect(spawnForm('az', args, 'linux')).toEqual({ file: 'az', args })
    expect(spawnForm('az', args, 'darwin')).toEqual({ file: 'az', args })
  })

  it('is through cmd.exe for az on Windows, with every sign of its language escaped twice', () => {
    expect(spawnForm('az', ['account', 'two words', 'a&b|c', '100%', 'say "hi"', 'C:\\'], 'win32')).toEqual({
      file: 'cmd.exe',
      args: [
        '/d',
        '/s',
        '/c',
        '"az.cmd ^^^"account^^^" ^^^"two^^^ words^^^" ^^^"a^^^&b^^^|c^^^" ^^^"100^^^%^^^" ^^^"say^^^ \\^^^"hi\\^^^"^^^" ^^^"C:\\\\^^^""',
      ],
      windowsVerbatimArguments: true,
    })
  })

  it('is without cmd.exe for what is a program on Windows too', () => {
    expect(spawnForm('git', ['status'], 'win32')).toEqual({ file: 'git', args: ['status'] })
  })
})

describe('a package', () => {
  it('is the same bytes for the same files in any order, and unzip reads it', async () => {
    const a = { name: 'host.json', bytes: Buffer.from('{"version":"2.0"}') }
    const b = { name: 'dist/ä.txt', bytes: Buffer.alloc(100_000, 'x') }
    const bytes = zip([a, b])
    expect(zip([b, a]).equals(bytes)).toBe(true)
    expect(bytes.length).toBeLessThan(1_000)
    expect(readZipEntry(bytes, 'dist/ä.txt')).toEqual(b.bytes)
    expect(readZipEntry(bytes, 'nothing')).toBeUndefined()
  })

  it.skipIf(spawnSync('python3', ['--version']).status !== 0)('is one to others too', async () => {
    const folder = await temporaryFolder()
    const files = [
      { name: 'host.json', bytes: Buffer.from('{"version":"2.0"}') },
      { name: 'dist/ä.txt', bytes: Buffer.alloc(100_000, 'x') },
    ]
    await writeFile(join(folder, 'a.zip'), zip(files))
    const seen = execFileSync('python3', ['-c', LIST, join(folder, 'a.zip')], { encoding: 'utf8' })
    expect(JSON.parse(seen)).toEqual([['dist/ä.txt', 100_000], ['host.json', 17], 'OK'])
  })

  it('of the product has what the platform looks for, and the same bytes from two builds at once', async () => {
    const folder = await temporaryFolder()
    const source = { commit: 'c'.repeat(40), hasChanges: false }
    const [made, again] = await Promise.all([buildPackage(source, folder), buildPackage(source, folder)])
    expect(again).toEqual(made)
    expect(await readdir(folder)).toEqual([basename(made.file)])
    expect(made.codeRevision).toBe(CODE_REVISION)
    expect(JSON.parse(String(readZipEntry(await readFile(made.file), 'dist/build.json')))).toEqual({
      build: made.build,
    })
    const bytes = await readFile(made.file)
    const manifest = JSON.parse(String(readZipEntry(bytes, 'package.json'))) as { main: string }
    for (const name of [
      manifest.main,
      'host.json',
      'dist/bundle.cjs',
      'dist/migrations/0001_missions.up.sql',
      'dist/profiles/production.yaml',
    ])
      expect({ name, there: readZipEntry(bytes, name) !== undefined }).toEqual({ name, there: true })
    expect(packageBlob({ commit: source.commit, sha256: undefined })).toBe(made.blob)
    expect(packageBlob({ commit: source.commit, sha256: made.sha256 })).toMatch(/-c{12}-changed-[0-9a-f]{12}\.zip$/)
  }, 60_000)
})

const LIST = `import sys,json,zipfile
z=zipfile.ZipFile(sys.argv[1]); print(json.dumps([[i.filename,i.file_size] for i in z.infolist()]+[z.testzip() or 'OK']))`

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'taskforce-package-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

function record(version: string, over: Partial<DeploymentRecord> = {}): DeploymentRecord {
  return {
    environment: 'staging',
    kind: 'deploy',
    outcome: 'deployed',
    runs: true,
    version,
    commit: version.replaceAll('.', '').padEnd(40, '0'),
    codeRevision: 3,
    schema: { revision: 3, minCode: 1 },
    package: { blob: `packages/${version}.zip`, sha256: version, bytes: 1 },
    who: 'ada',
    startedAt: '2026-11-22T10:00:00.000Z',
    endedAt: '2026-11-22T10:05:00.000Z',
    ...over,
  }
}

const choose = (records: DeploymentRecord[], to?: string) =>
  choosePackage({ records, unreadable: [] }, runningRecord(records), to)

describe('which package to go back to', () => {
  const [current, bad, before, first] = [
    record('4.0.0'),
    record('3.0.0', { outcome: 'failed', runs: false }),
    record('2.0.0'),
    record('1.0.0'),
  ] as const

  it('is the newest that worked before the one that runs was there for the first time', () => {
    expect(choose([current, current, bad, before, first])).toBe(before)
    // One that failed and could not go back is what runs.
    expect(choose([record('5.0.0', { outcome: 'failed' }), current, before])).toBe(current)
    // One that was tried in vain before was not there.
    expect(choose([record('3.0.0'), before, bad, first])).toBe(before)
  })

  it('is an older one each time', () => {
    const back = record('2.0.0', { kind: 'rollback' })
    expect(choose([back, current, before, first])).toBe(first)
    const further = record('1.0.0', { kind: 'rollback' })
    expect(() => choose([further, back, current, before, first])).toThrow(
      expect.objectContaining({
        code: 'no_previous',
        hint: expect.stringMatching(/--to VERSION .*There are: .*4\.0\.0 \(400000000000\)/),
      }),
    )
    expect(choose([back, current, before, first], '4.0.0')).toBe(current)
  })

  it('is the one that is named, by version or commit, and never one that failed', () => {
    const all = [current, bad, before, first]
    expect(choose(all, '1.0.0')).toBe(first)
    expect(choose(all, before.commit.slice(0, 7))).toBe(before)
    expect(() => choose(all, '3.0.0')).toThrow(
      /^3\.0\.0 was never deployed here\. There are: 4\.0\.0 \(4\d+\), 2\.0\.0 \(2\d+\), 1\.0\.0 \(1\d+\)\.$/,
    )
    expect(() => choose(all, '2')).toThrow('was never deployed')
    expect(() => choose([current])).toThrow('none to go back to')
  })

  it.each([
    [{ revision: 5, minCode: 3 }, undefined],
    [{ revision: 5, minCode: 4 }, 'works with code of revision 4 and newer.'],
    [{ revision: 2, minCode: 1 }, 'is older than that code needs'],
  ])('code of revision 3 on %j: %s', (schema, refusal) => {
    const decide = () => requireFit(record('1.0.0'), schema)
    if (refusal === undefined) expect(decide).not.toThrow()
    else expect(decide).toThrow(refusal)
  })
})

it('each stage says how things stand when it fails, and only a package that does not work is taken back', () => {
  for (const stage of STAGES) expect(recoveryOf(stage).state).toMatch(/\.$/)
  expect(STAGES.filter((stage) => recoveryOf(stage).runs === 'doubtful')).toEqual(['publish', 'smoke'])
})

it.skipIf(!existsSync('bicep/main.bicep'))('every output that is read is one of the templates', () => {
  const template = readFileSync('bicep/main.bicep', 'utf8')
  const named = Object.values(PLACEHOLDERS).map((name) => name.slice(1))
  expect(named.filter((name) => !template.includes(`output ${name} string`))).toEqual([])
})

it('outputs that lack are named', () => {
  expect(() => readTarget({ API_URL: 'https://x' })).toThrow(/no TASKFORCE_ENVIRONMENT, .*POSTGRES_DATABASE\.$/)
})
