import { spawn } from 'node:child_process'

/** Ends a process and all that it started. @param pid of one that was started with a group of its own */
export function endTree(pid: number, platform: NodeJS.Platform): void {
  if (platform === 'win32') return void spawn('taskkill', ['/pid', String(pid), '/t', '/f'], { stdio: 'ignore' })
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has just ended by itself.
  }
}
