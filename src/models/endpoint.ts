/** Where a request went: the only part of it that an error message may tell. */
export interface Endpoint {
  /** Scheme, host and port, without the credentials that a URL may hold. */
  origin: string
  model: string
  settings: EndpointSettings
}

/** What an operator would change, for the hints of errors. */
export interface EndpointSettings {
  /** The setting that says who pays. */
  account: string
  /** The setting that names a model where a profile names none, and what the server calls one. */
  model: string
  noun: 'model' | 'deployment'
  /** The setting with the server's address, and what a good one looks like. */
  address: string
  addressForm: string
  /** What proves who asks, such as "the key", and what to do when that is refused. */
  credential: string
  refused: string
}

/** The origin of an address that fetch takes: http or https, without credentials in it. */
export function callableOrigin(address: string): string | undefined {
  const url = URL.parse(address)
  const callable = url && /^https?:$/.test(url.protocol) && url.username === '' && url.password === ''
  return callable ? url.origin : undefined
}
