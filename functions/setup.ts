import { app } from '@azure/functions'
import { currentApp } from './app-context.ts'

app.setup({ enableHttpStream: true })

/**
 * The platform ends an instance: hand over what runs, and close what is open. A hook that throws would keep the real
 * worker from ending at all, so a database that is down must not stop the rest; what is left is found by the sweep.
 */
app.hook.appTerminate(async () => {
  const context = currentApp()
  if (context === undefined) return
  const report = (error: unknown) => context.telemetry.shutdownFailed(error)
  await context.engine.drain().catch(report)
  await context.databases.close().catch(report)
})
