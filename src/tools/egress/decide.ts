import ipaddr from 'ipaddr.js'

/** Which addresses a URL that was let through may connect to. */
export type Reach =
  /** Public unicast only: everything by name, and literals that the profile does not name. */
  | 'public'
  /** Loopback only: `localhost`, named with scheme and port by the profile. */
  | 'loopback'
  /** Also private networks: an IP literal, named with scheme and port by the profile. */
  | 'literal'

/** The profile's list that a URL is checked against; refusals name it. */
export type OriginList = 'egress.allow' | 'egress.post'

/** What may be connected to, and on which list's word. */
export interface Grant {
  allowed: true
  url: URL
  reach: Reach
  list: OriginList
}

export type Decision = Grant | Refusal

export interface Refusal {
  allowed: false
  code: 'invalid_url' | 'egress_denied' | 'address_denied'
  /** A sentence that the model can act on. */
  reason: string
}

const PORTS = new Set(['', '80', '443'])
/** Ranges that an operator may open by naming the literal. Link-local is not among them: cloud metadata lives there. */
const OPENABLE = new Set(['unicast', 'loopback', 'private', 'uniqueLocal'])
/** Azure's wire server has an address that counts as public. */
const WIRE_SERVER = '168.63.129.16'
/** The part of IPv6 that is given out for global unicast (RFC 4291 §2.4 and IANA's registry); the library calls more `unicast`. */
const GLOBAL_IPV6 = ipaddr.IPv6.parse('2000::')

/**
 * Whether a profile's list of origins lets a tool reach a URL; pure, and to be asked again for every redirect. A name that
 * passes is only half checked: its addresses must pass `decideAddress` with the reach given here.
 * @param list that `origins` is; `*` stands for any public origin in `egress.allow` alone
 */
export function decide(address: string, origins: readonly string[], list: OriginList = 'egress.allow'): Decision {
  const url = URL.parse(address)
  if (!url) return refuse('invalid_url', `"${shorten(address)}" is no absolute URL.`)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return refuse('invalid_url', `Only http and https URLs can be reached, not ${url.protocol}//.`)
  }
  if (url.username || url.password) return refuse('invalid_url', 'A URL with a user name or password is not used.')
  url.hash = ''
  // "localhost." is localhost to a resolver but not to a string comparison.
  if (url.hostname.endsWith('.')) url.hostname = url.hostname.slice(0, -1)
  if (url.hostname.endsWith('.')) return refuse('invalid_url', `"${shorten(address)}" has no valid host name.`)

  const listed = origins.some((entry) => originOf(entry) === url.origin)
  if (!listed) {
    const refusal = refuseUnlisted(url, origins, list)
    if (refusal) return refusal
  }
  return decideHost(url, listed, list)
}

function refuseUnlisted(url: URL, origins: readonly string[], list: OriginList): Refusal | undefined {
  if (list === 'egress.post' || !origins.includes('*')) {
    const known = origins.length === 0 ? 'is empty' : `has only ${shorten(origins.join(', '))}`
    return refuse('egress_denied', `${shorten(url.origin)} is not in the profile's ${list}, which ${known}.`)
  }
  if (PORTS.has(url.port)) return undefined
  return refuse(
    'egress_denied',
    `Port ${url.port} can be reached only where the profile's ${list} names ${shorten(url.origin)}; "*" stands for ports 80 and 443.`,
  )
}

function decideHost(url: URL, listed: boolean, list: OriginList): Decision {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (host === 'localhost' || host.endsWith('.localhost')) {
    if (listed && host === 'localhost') return { allowed: true, url, reach: 'loopback', list }
    return refuse(
      'address_denied',
      `${shorten(url.origin)} is this machine itself, which the profile's ${list} does not name.`,
    )
  }
  if (!ipaddr.isValid(host)) return { allowed: true, url, reach: 'public', list }
  const reach = listed ? 'literal' : 'public'
  return decideAddress(host, reach, list) ?? { allowed: true, url, reach, list }
}

/** The refusal of an IP address (v4, v6, mapped), or undefined where it may be connected to. */
export function decideAddress(ip: string, reach: Reach, list: OriginList = 'egress.allow'): Refusal | undefined {
  if (!ipaddr.isValid(ip)) return refuse('address_denied', `"${shorten(ip)}" is no IP address.`)
  const address = ipaddr.process(ip)
  const range = rangeOf(address)
  const allowed =
    reach === 'literal' ? OPENABLE.has(range) : reach === 'loopback' ? range === 'loopback' : range === 'unicast'
  if (allowed) return undefined
  const opened = reach === 'public' ? ` The profile's ${list} would have to name that very address.` : ''
  const hint = OPENABLE.has(range) ? opened : ''
  return refuse(
    'address_denied',
    `${address.toString()} is not a public address (${range}), so it is not connected to.${hint}`,
  )
}

function rangeOf(address: ipaddr.IPv4 | ipaddr.IPv6): string {
  if (address.toString() === WIRE_SERVER) return 'cloud platform'
  const range = address.range()
  if (range !== 'unicast' || address instanceof ipaddr.IPv4) return range
  return address.match(GLOBAL_IPV6, 3) ? range : 'reserved'
}

/** Undefined for an entry that is more than an origin: a path there would not limit anything. */
function originOf(entry: string): string | undefined {
  const url = URL.parse(entry)
  if (!url || url.username || url.password || url.pathname !== '/' || url.search || url.hash) return undefined
  return url.origin
}

function refuse(code: Refusal['code'], reason: string): Refusal {
  return { allowed: false, code, reason }
}

function shorten(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}
