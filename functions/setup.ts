import { app } from '@azure/functions'
import { currentApp } from './app-context.ts'

app.setup({ enableHttpStream: true })

/** The platform ends an instance: hand over what runs, and close what is open. */
app.hook.appTerminate(async () => {
  const context = currentApp()
  if (context === undefined) return
  await context.engine.drain()
  await context.databases.close()
})
