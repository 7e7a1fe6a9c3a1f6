import { damaged } from './damaged.ts'
import { createFrameWalk } from './frame-walk.ts'

/**
 * Passes exactly one zstd frame on, and throws TerminalError `backup_damaged` where the input ends before the frame or goes on
 * after it. Node's decoder does neither by itself: it takes truncated input for whole in some versions (node#64592), and
 * drops what follows the first frame without a word (measured: 4,000 of 4,196,304 bytes of three frames came out).
 */
export async function* singleFrame(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const walk = createFrameWalk()
  for await (const chunk of chunks) {
    if (walk.pass(chunk) < chunk.length) throw damaged('it goes on after its end')
    yield chunk
  }
  if (!walk.isOver()) throw damaged('it ends early')
}
