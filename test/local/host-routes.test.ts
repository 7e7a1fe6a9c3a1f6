import { describe, expect, test } from 'vitest'
import { indexFunctions } from '../../src/local/host/index-functions.ts'
import { compileRoute } from '../../src/local/host/route-template.ts'

const id = '0198c2f0-7d1c-7a55-9d6c-0d8a4a1b2c3d'

describe('route templates match as in ASP.NET', () => {
  test.each([
    ['health', '/Health/', {}],
    ['a/{id:guid}', `/a/${id}`, { id }],
    ['a/{id:guid}', '/a/7', null],
    ['a/{n:int}', '/a/-12', { n: '-12' }],
    ['a/{n:int}', '/a/4294967296', null],
    ['a/{n:long}', '/a/4294967296', { n: '4294967296' }],
    ['a/{n:int:range(1,9)}', '/a/9', { n: '9' }],
    ['a/{n:int:range(1,9)}', '/a/10', null],
    ['a/{name:alpha:minlength(2)}', '/a/ab', { name: 'ab' }],
    ['a/{name:alpha}', '/a/a1', null],
    ['a/{b:bool}', '/a/TRUE', { b: 'TRUE' }],
    [String.raw`a/{code:regex(^\d-[a-c]$)}`, '/a/1-b', { code: '1-b' }],
    ['a/{x?}', '/a', {}],
    ['a/{x?}', '/a/1', { x: '1' }],
    ['a/{x?}', '/a/1/2', null],
    ['a/{size=10}', '/a', { size: '10' }],
    ['a/{*rest}', '/a', {}],
    ['a/{*rest}', '/a/b/c', { rest: 'b/c' }],
    ['{name}/v{n:int}.json', '/x/v2.json', { name: 'x', n: '2' }],
    ['a/{x}', '/a/b%20c%2Fd', { x: 'b c%2Fd' }],
    ['a/{x}', '/a/%zz', { x: '%zz' }],
    ['a.b', '/axb', null],
    ['a/{x}', '/a', null],
  ])('%s and %s', (template, path, values) => {
    expect(compileRoute(template)(path)).toEqual(values)
  })

  test.each(['a/{x:nonsense}', 'a/{x', 'a/{}', 'a/{x:int(3)}'])('%s can not be compiled', (template) => {
    expect(() => compileRoute(template)).toThrow(/not a route|do not match/)
  })
})

test('routes are tried by function name without regard to case, and a route is the name where none is given', () => {
  const http = (name: string, route?: string) => ({
    name,
    hasRetryPolicy: false,
    bindings: { t: { type: 'httpTrigger', direction: 'in' as const, route, methods: ['get'] } },
  })
  const registrations = [http('b'), http('C', '%WHERE%/x'), http('A', '')]
  const context = { env: { WHERE: 'there' }, routePrefix: 'api', resolveConnection: () => undefined, log: () => {} }
  expect(indexFunctions(registrations, context).http.map((one) => one.route)).toEqual(['api/A', 'api/b', 'api/there/x'])
})
