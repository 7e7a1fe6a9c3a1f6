/** Whether a key or a token may go to this URL: TLS, or this machine. Any other name could be anybody's on the way. */
export function keepsSecrets(url: string): boolean {
  if (!URL.canParse(url)) return false
  const { protocol, hostname } = new URL(url)
  // The parser has normalised the host: 0x7f.1 and 127.1 are 127.0.0.1 here, and names are in lower case.
  return protocol === 'https:' || (protocol === 'http:' && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname))
}
