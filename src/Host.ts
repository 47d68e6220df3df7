import { InputError } from './errors.js'

/** A label of a DNS name as RFC 1123 has it: letters, digits and inner hyphens, so no underscore. */
const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
const port = /^[1-9][0-9]{0,4}$/

/**
 * Reads a host with an optional port, such as `api.example.com` or `127.0.0.1:4021`, in its one canonical form:
 * lower case, and no port where it is the usual one. Hosts are compared exactly, so nothing that could be read
 * in two ways is accepted: an address only as every URL parser would write it, a name only in ASCII.
 *
 * The scheme is implied: https, and on a loopback host http. So is its port: 443, and on a loopback host 80.
 *
 * @throws InputError `INVALID_HOST`; what follows a host, and what comes before an `@`, is never repeated in it
 */
export function parse(value: unknown, field = 'host'): string {
  const result = read(value)
  if (result.ok) return result.host
  throw new InputError('INVALID_HOST', {
    field,
    given: typeof value === 'string' ? redact(value) : value,
    valid: result.valid ?? 'a host with an optional port, such as "api.example.com" or "127.0.0.1:4021"',
    why: result.reason,
  })
}

/** Whether a host, with or without a port, is this machine: `localhost`, 127.0.0.0/8 or `[::1]`. */
export function isLoopback(host: string): boolean {
  return /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?$/.test(host)
}

/**
 * The host that a request for `url` goes to, in the form of `parse`, or why there must be no such request: https
 * only, http only on a loopback host, no user or password. Reads the URL as `fetch` does.
 */
export function ofUrl(url: unknown): OfUrlResult {
  if (typeof url !== 'string' && !(url instanceof URL)) return { ok: false, reason: 'Not a URL.' }
  if (!URL.canParse(String(url)))
    return { ok: false, reason: 'The URL cannot be read: it has to be absolute.' }
  const { protocol, hostname, username, password, port: explicit } = new URL(url)

  if (username !== '' || password !== '')
    return { ok: false, reason: 'The URL carries a user or password: send credentials in a header.' }
  if (protocol !== 'https:' && protocol !== 'http:')
    return { ok: false, reason: `The scheme is ${protocol} and has to be https.` }
  // Explicit, because `parse` knows only one usual port for a host.
  const result = read(`${hostname}:${explicit || (protocol === 'https:' ? '443' : '80')}`)
  if (!result.ok) return { ok: false, reason: result.reason }
  if (protocol === 'http:' && !isLoopback(result.host))
    return { ok: false, reason: `http is for loopback hosts only: ${result.host} has to be asked by https.` }
  return { ok: true, host: result.host }
}

export type OfUrlResult = { ok: true; host: string } | { ok: false; reason: string }

type ReadResult = { ok: true; host: string } | { ok: false; reason: string; valid?: string }

/** `parse` without throwing. */
export function read(value: unknown): ReadResult {
  const no = (reason: string, valid?: string): ReadResult =>
    valid === undefined ? { ok: false, reason } : { ok: false, reason, valid }

  if (typeof value !== 'string') return no('Not a host.')
  if (value === '') return no('The host is empty.')
  if (/\s/.test(value)) return no('A host has no white space.')
  if (value.includes('@')) return no('A host has no user or password in front of it.')
  if (value.includes('://') || /^[a-z]+:\D/i.test(value))
    return no('A host has no scheme: https is implied.', suggestion(value))
  if (/[/\\]/.test(value)) return no('A host has no path: it is allowed as a whole.', suggestion(value))
  if (/[?#]/.test(value)) return no('A host has no query and no fragment.', suggestion(value))
  if (value.includes('*'))
    return no('Wildcards are not supported: list every host, so that a reader sees them.')
  if (/[^ -~]/.test(value))
    return no('Only ASCII: other letters can look like ones that they are not.', suggestion(value))

  const [name = '', number, ...rest] = value.startsWith('[') ? splitBracketed(value) : value.split(':')
  if (rest.length > 0) return no('An IPv6 address is written in brackets.', '"[::1]" or "[2001:db8::1]:8443"')
  if (number !== undefined && (!port.test(number) || Number(number) > 65535))
    return no('A port is a number from 1 to 65535 without leading zeros.')

  const lower = name.toLowerCase()
  if (!lower.startsWith('[')) {
    if (lower.endsWith('.')) return no('No dot at the end: it would be another name.', suggestion(value))
    const wrong = lower.split('.').find((part) => !label.test(part))
    if (wrong === '') return no('A part between two dots is empty.')
    if (wrong !== undefined) return no('A part of a name is 1 to 63 letters, digits and inner hyphens.')
    if (lower.length > 253) return no('A name has at most 253 characters.')
  }
  // What is left are addresses in odd notations (0x7f.1, 2130706433, [0:0::1]) and broken punycode.
  const canonical = URL.canParse(`https://${lower}`) ? new URL(`https://${lower}`).hostname : undefined
  if (canonical === undefined) return no('Neither a name nor an address.')
  if (canonical !== lower) return no('An address has to be in its usual notation.', `"${canonical}"`)

  const usual = isLoopback(lower) ? '80' : '443'
  return { ok: true, host: number === undefined || number === usual ? lower : `${lower}:${number}` }
}

/** `[address]`, and what follows a colon after it; anything else behind the bracket makes a bad port. */
function splitBracketed(value: string): string[] {
  const end = value.indexOf(']') + 1
  if (end === 0) return [value]
  const after = value.slice(end)
  return after === '' ? [value] : [value.slice(0, end), after.startsWith(':') ? after.slice(1) : after]
}

/** The host that was probably meant, in ASCII, if what was given can be read as a URL. */
function suggestion(value: string): string | undefined {
  const url = value.includes('://') ? value : `https://${value}`
  if (!URL.canParse(url)) return undefined
  const host = new URL(url).host.replace(/\.(?=$|:)/, '')
  return host === '' || host === value
    ? undefined
    : `the host alone and in ASCII: "${host}", if that is meant`
}

/** Without user, password, path, query and fragment, and without anything that may be a password. */
function redact(value: string): string {
  const [, scheme = '', rest = ''] = /^([a-z][a-z0-9+.-]*:\/\/)?(.*)$/is.exec(value) ?? []
  return (
    scheme +
    rest
      .replace(/^.*@/s, '***@')
      .replace(/[/\\?#].*$/s, '/***')
      // `user:password` without its host.
      .replace(/^([^:]*):[^:]*[^0-9:][^:]*$/s, '$1:***')
  )
}
