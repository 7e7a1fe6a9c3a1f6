const EVERY_MS = 200

/** A line that is drawn over on a terminal, and nothing elsewhere. */
export function showProgress(stream: NodeJS.WriteStream): { show(checked: number): void; clear(): void } {
  if (!stream.isTTY) return { show: () => undefined, clear: () => undefined }
  let last = 0
  return {
    show(checked) {
      if (performance.now() - last < EVERY_MS) return
      last = performance.now()
      stream.write(`\r\u001b[KChecked ${checked.toLocaleString('en')} missions …`)
    },
    clear: () => void stream.write('\r\u001b[K'),
  }
}
