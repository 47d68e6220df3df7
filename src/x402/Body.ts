import { type Violation, violation } from './Violation.js'

export type Limits = {
  /** The most that is read, after any decompression. */
  readonly maxBytes: number
  /** The longest that the body may take from now on, milliseconds. */
  readonly timeoutMs: number
  /** The caller's own. */
  readonly signal?: AbortSignal | undefined
}

export type Read = { readonly allowed: true; readonly text: string } | Violation

/**
 * The body as UTF-8 text, and never more of it than allowed: neither gigabytes nor one byte a minute hold anybody up.
 * What is not read is cancelled, which frees the connection.
 *
 * @returns the text, `BODY_TOO_LARGE` or `TIMED_OUT`
 * @throws the reason of the caller's signal, and what the network throws
 */
export async function read(response: Response, { maxBytes, timeoutMs, signal }: Limits): Promise<Read> {
  const { body } = response
  if (body === null) return { allowed: true, text: '' }
  const tooLarge = () =>
    violation('BODY_TOO_LARGE', `The body is longer than ${maxBytes} bytes, the most that is read of it.`, {
      limit: maxBytes,
    })
  if (Number(response.headers.get('content-length') ?? 0) > maxBytes) {
    await body.cancel()
    return tooLarge()
  }
  const deadline = AbortSignal.timeout(timeoutMs)
  const stop = signal ? AbortSignal.any([signal, deadline]) : deadline
  const reader = body.getReader()
  // A read that waits resolves then, as at the end.
  const cancel = () => void reader.cancel().catch(() => {})
  stop.addEventListener('abort', cancel)
  try {
    const chunks: Uint8Array[] = []
    for (let length = 0; ; ) {
      const { done, value } = await reader.read()
      signal?.throwIfAborted()
      if (deadline.aborted) {
        const reason = `The body did not end within ${timeoutMs} ms.`
        return violation('TIMED_OUT', reason, { limit: timeoutMs }, true)
      }
      if (done) return { allowed: true, text: new TextDecoder().decode(join(chunks, length)) }
      length += value.length
      if (length > maxBytes) {
        cancel()
        return tooLarge()
      }
      chunks.push(value)
    }
  } finally {
    stop.removeEventListener('abort', cancel)
  }
}

function join(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}
