/** Where the platform runs us, "off" is refused. */
export const PLATFORM_MARKS = ['WEBSITE_SITE_NAME', 'KUBERNETES_SERVICE_HOST'] as const

/** How callers prove themselves while the configuration as a whole is invalid, so that they can be told what is wrong. */
export function rawAuth(env: Record<string, string | undefined>): { mode: 'keys' | 'off'; apiKey: string | undefined } {
  const off = env['AUTH'] === 'off' && PLATFORM_MARKS.every((name) => env[name] === undefined)
  const apiKey = env['TASKFORCE_API_KEY'] || undefined
  return { mode: off ? 'off' : 'keys', apiKey: isUnresolved(apiKey) ? undefined : apiKey }
}

/** What an app setting is while Azure can't read the secret that it names. */
export function isUnresolved(value: unknown): boolean {
  return typeof value === 'string' && value.startsWith('@Microsoft.KeyVault(')
}
