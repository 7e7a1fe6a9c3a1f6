import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bicep, startCompiler, type Compiler } from '../bicep/compiler.ts'

// That CI has a compiler is asserted in test/bicep/compile.test.ts.
const unlessMissing = bicep === undefined ? describe.skip : describe

unlessMissing('bicep/ refuses, before anything is deployed,', { timeout: 120_000 }, () => {
  let compiler: Compiler
  let folder: string
  beforeAll(() => {
    compiler = startCompiler(bicep ?? '')
    folder = mkdtempSync(join(tmpdir(), 'bicep-'))
    cpSync('bicep', folder, { recursive: true })
  })
  afterAll(() => {
    compiler.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const withShape = async (name: string, change: string) => {
    const path = join(folder, 'changed.bicepparam')
    const text = readFileSync(join('bicep', `${name}.bicepparam`), 'utf8')
    writeFileSync(
      path,
      text.replace(/param shape = (\S+)/, (_, shape: string) => `param shape = union(${shape}, ${change})`),
    )
    return compiler.snapshot(path)
  }

  it('more instances than Postgres has connections for', async () => {
    await expect(withShape('dev', "{ postgres: { skuName: 'Standard_B1ms' } }")).rejects.toThrow(/has 50 connections/)
    await expect(withShape('staging', '{ functionApp: { maximumInstanceCount: 200 } }')).rejects.toThrow(/pooler: true/)
    const pooled = '{ functionApp: { maximumInstanceCount: 200 }, postgres: { pooler: true } }'
    expect(await withShape('staging', pooled)).toBeDefined()
  })

  it('a size whose connections nobody has looked up', async () => {
    const unknown = withShape('dev', "{ postgres: { skuName: 'Standard_D99' } }")
    await expect(unknown).rejects.toThrow(/does not know Standard_D99/)
  })

  it('one always-ready instance in two zones', async () => {
    const one = withShape('production', "{ functionApp: { alwaysReady: [{ name: 'http', instanceCount: 1 }] } }")
    await expect(one).rejects.toThrow(/at least 2/)
  })

  it('through PgBouncer, gives the address past it too', async () => {
    const text = JSON.stringify(await withShape('production', '{ postgres: { pooler: true } }'))
    expect(text).toContain('"DATABASE_POOLER":"transaction"')
    expect(text).toMatch(/"DATABASE_URL":"[^"]*:6432\//)
    expect(text).toMatch(/"DATABASE_DIRECT_URL":"[^"]*:5432\//)
    expect(text).toMatch(/pgbouncer\.enabled/)
  })
})
