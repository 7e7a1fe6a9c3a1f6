/**
 * Which of the two apps of a deployment this process is, by APP_ROLE. Asked while the package loads, since what an app may do
 * begins with what it registers; a wrong value is the app, which says so in /health/ready.
 */
export function isRole(role: 'app' | 'migrator'): boolean {
  return role === (process.env['APP_ROLE'] === 'migrator' ? 'migrator' : 'app')
}
