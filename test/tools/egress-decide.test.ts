import { describe, expect, test } from 'vitest'
import { decide, decideAddress } from '../../src/tools/egress/decide.ts'

const PUBLIC = ['*']

/** What an attacker writes for an address that is none of his business. */
const HOSTILE_ADDRESSES = [
  ['loopback', 'http://127.0.0.1/'],
  ['loopback, another of it', 'http://127.9.9.9/'],
  ['decimal IPv4', 'http://2130706433/'],
  ['hex IPv4', 'http://0x7f000001/'],
  ['hex parts', 'http://0x7f.0x0.0x0.0x1/'],
  ['octal IPv4', 'http://0177.0.0.1/'],
  ['short IPv4', 'http://127.1/'],
  ['zero', 'http://0/'],
  ['full-width digits', 'http://１２７.０.０.１/'],
  ['ideographic full stops', 'http://127。0。0。1/'],
  ['circled digits', 'http://①②⑦.0.0.1/'],
  ['percent-encoded digits', 'http://%31%32%37.0.0.1/'],
  ['a backslash for a slash', 'http:\\\\127.0.0.1\\'],
  ['a trailing dot after an address', 'http://127.0.0.1./'],
  ['private 10/8', 'http://10.0.0.1/'],
  ['private 172.16/12', 'https://172.31.255.255/'],
  ['private 192.168/16', 'http://192.168.0.1/'],
  ['cloud metadata', 'http://169.254.169.254/latest/meta-data/'],
  ['metadata as decimal', 'http://2852039166/'],
  ["Azure's wire server", 'http://168.63.129.16/machine?comp=goalstate'],
  ['carrier-grade NAT', 'http://100.64.0.1/'],
  ['benchmarking range', 'http://198.18.0.1/'],
  ['multicast', 'http://224.0.0.1/'],
  ['broadcast', 'http://255.255.255.255/'],
  ['IPv6 loopback', 'http://[::1]/'],
  ['IPv6 unspecified', 'http://[::]/'],
  ['mapped IPv4', 'http://[::ffff:127.0.0.1]/'],
  ['mapped IPv4 in hex', 'http://[::ffff:a9fe:a9fe]/'],
  ['mapped wire server', 'http://[::ffff:168.63.129.16]/'],
  ['IPv4-compatible IPv6', 'http://[::7f00:1]/'],
  ['NAT64', 'http://[64:ff9b::7f00:1]/'],
  ['local NAT64', 'http://[64:ff9b:1::a00:1]/'],
  ['6to4', 'http://[2002:7f00:1::]/'],
  ['Teredo', 'http://[2001:0:7f00:1::]/'],
  ['unique local', 'http://[fd00:ec2::254]/'],
  ['link local', 'http://[fe80::1]/'],
  ['unassigned IPv6', 'http://[4000::1]/'],
  ['localhost', 'http://localhost/'],
  ['localhost with a trailing dot', 'http://localhost./'],
  ['localhost in capitals', 'http://LOCALHOST/'],
  ['a name below localhost', 'http://app.localhost/'],
] as const

describe('hostile URLs are refused although any public origin is allowed', () => {
  test.each(HOSTILE_ADDRESSES)('%s: %s', (_what, url) => {
    expect(decide(url, PUBLIC)).toMatchObject({ allowed: false, code: 'address_denied' })
  })

  test.each([
    ['file', 'file:///etc/passwd'],
    ['ftp', 'ftp://example.com/'],
    ['gopher', 'gopher://example.com/'],
    ['data', 'data:text/html,hi'],
    ['javascript', 'javascript:alert(1)'],
    ['a user name', 'http://example.com@10.0.0.1/'],
    ['user name and password', 'https://user:secret@example.com/'],
    ['a relative URL', '/etc/passwd'],
    ['an IPv6 zone', 'http://[fe80::1%25eth0]/'],
    ['no host', 'http://'],
    ['a host of dots', 'http://example.com../'],
    ['five parts', 'http://1.2.3.4.5/'],
  ])('%s: %s', (_what, url) => {
    expect(decide(url, PUBLIC)).toMatchObject({ allowed: false, code: 'invalid_url' })
  })

  test.each([
    'http://example.com:22/',
    'https://example.com:8443/',
    'http://example.com:6379/',
    'http://1.1.1.1:8080/',
  ])('port: %s', (url) => {
    expect(decide(url, PUBLIC)).toMatchObject({ allowed: false, code: 'egress_denied' })
  })
})

describe('the allow list', () => {
  test.each([
    'https://example.com/a?b#c',
    'http://example.com:443/',
    'http://1.1.1.1/',
    'https://[2606:4700::1111]/',
    'https://example.com./',
  ])('"*" lets %s through', (url) => {
    expect(decide(url, PUBLIC)).toMatchObject({ allowed: true, reach: 'public' })
  })

  test('the URL to fetch has neither fragment nor trailing dot', () => {
    const decision = decide('https://EXAMPLE.com./a#b', ['https://example.com'])
    expect(decision.allowed && decision.url.href).toBe('https://example.com/a')
  })

  test.each([
    ['another host', 'https://evil.com/'],
    ['a host below', 'https://a.example.com/'],
    ['a longer host', 'https://example.com.evil.com/'],
    ['the other scheme', 'http://example.com/'],
    ['another port', 'https://example.com:444/'],
  ])('an origin lets itself through, but not %s', (_what, url) => {
    expect(decide('https://example.com/x', ['https://example.com']).allowed).toBe(true)
    const refusal = decide(url, ['https://example.com'])
    expect(refusal).toMatchObject({ allowed: false, code: 'egress_denied' })
    expect(!refusal.allowed && refusal.reason).toContain(
      "the profile's egress.allow, which has only https://example.com",
    )
  })

  test('nothing passes an empty list, and the refusal names the key', () => {
    const refusal = decide('https://example.com/', [])
    expect(!refusal.allowed && refusal.reason).toBe(
      "https://example.com is not in the profile's egress.allow, which is empty.",
    )
  })

  test('an entry that is more or less than an origin lets nothing through', () => {
    for (const entry of [
      'https://example.com/docs',
      'https://u:p@example.com',
      'example.com',
      'https://*.example.com',
      '*.example.com',
      '',
    ]) {
      expect(decide('https://example.com/docs', [entry]).allowed).toBe(false)
    }
  })

  test('an origin opens its own port and no other origin’s', () => {
    const allow = ['*', 'https://example.com:8443']
    expect(decide('https://example.com:8443/', allow).allowed).toBe(true)
    expect(decide('https://example.org:8443/', allow).allowed).toBe(false)
  })

  test('loopback is reached only by its exact origin', () => {
    const allow = ['*', 'http://127.0.0.1:8123']
    expect(decide('http://127.0.0.1:8123/x', allow)).toMatchObject({ allowed: true, reach: 'literal' })
    for (const url of [
      'http://127.0.0.1:8124/',
      'https://127.0.0.1:8123/',
      'http://127.0.0.2:8123/',
      'http://localhost:8123/',
      'http://[::1]:8123/',
    ]) {
      expect(decide(url, allow).allowed).toBe(false)
    }
    expect(decide('http://localhost:8123/', ['http://localhost:8123'])).toMatchObject({
      allowed: true,
      reach: 'loopback',
    })
    expect(decide('http://a.localhost/', ['http://a.localhost']).allowed).toBe(false)
    expect(decide('http://10.1.2.3/', ['http://10.1.2.3'])).toMatchObject({ allowed: true, reach: 'literal' })
  })

  test('metadata and the wire server stay closed even when they are listed', () => {
    for (const origin of [
      'http://169.254.169.254',
      'http://168.63.129.16',
      'http://[fe80::1]',
      'http://0.0.0.0',
      'http://[::ffff:169.254.169.254]',
    ]) {
      expect(decide(origin, [origin])).toMatchObject({ allowed: false, code: 'address_denied' })
    }
  })
})

describe('the list of origins to send to', () => {
  test('has no "*": each origin is named', () => {
    for (const url of ['https://example.com/', 'http://1.1.1.1/']) {
      expect(decide(url, ['*'], 'egress.post')).toMatchObject({ allowed: false, code: 'egress_denied' })
    }
    const origins = ['*', 'https://hooks.example:8443']
    expect(decide('https://hooks.example:8443/x', origins, 'egress.post')).toMatchObject({
      allowed: true,
      reach: 'public',
      list: 'egress.post',
    })
    expect(decide('https://hooks.example/x', origins, 'egress.post').allowed).toBe(false)
  })

  test.each(HOSTILE_ADDRESSES)('%s: %s is refused', (_what, url) => {
    expect(decide(url, ['*', 'https://hooks.example'], 'egress.post').allowed).toBe(false)
  })

  test('opens loopback by its exact origin, and metadata never', () => {
    const literal = 'http://127.0.0.1:8123'
    expect(decide(`${literal}/x`, [literal], 'egress.post')).toMatchObject({ allowed: true, reach: 'literal' })
    expect(decide('http://2130706433:8123/', [literal], 'egress.post')).toMatchObject({ allowed: true })
    for (const origin of ['http://169.254.169.254', 'http://168.63.129.16', 'http://[::ffff:169.254.169.254]']) {
      expect(decide(origin, [origin], 'egress.post')).toMatchObject({ allowed: false, code: 'address_denied' })
    }
  })

  test.each([
    ['https://evil.com/', []],
    ['http://localhost/', ['http://localhost:1']],
  ])('is the one that the refusal of %s names', (url, origins) => {
    const refusal = decide(url, origins, 'egress.post')
    expect(!refusal.allowed && refusal.reason).toContain("the profile's egress.post")
  })
})

describe('addresses that a name resolves to', () => {
  test.each(['93.184.216.34', '::ffff:93.184.216.34', '2606:4700::1111'])('%s is public', (ip) => {
    expect(decideAddress(ip, 'public')).toBeUndefined()
    expect(decideAddress(ip, 'loopback')).toMatchObject({ code: 'address_denied' })
  })

  test.each(['127.0.0.1', '::1', '::ffff:127.0.0.1'])('%s is for listed localhost only', (ip) => {
    expect(decideAddress(ip, 'public')).toMatchObject({ code: 'address_denied' })
    expect(decideAddress(ip, 'loopback')).toBeUndefined()
  })

  test.each(['10.0.0.1', '169.254.169.254', '168.63.129.16', 'fe80::1%eth0', 'fd00::1', '', 'localhost', '1.2.3.4.5'])(
    '%j is for no name',
    (ip) => {
      expect(decideAddress(ip, 'public')).toMatchObject({ code: 'address_denied' })
      expect(decideAddress(ip, 'loopback')).toMatchObject({ code: 'address_denied' })
    },
  )
})
