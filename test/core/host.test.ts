import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Host, InputError } from '../../src/index.js'
import { thrown } from './thrown.js'

const longest = [...Array(3).fill('a'.repeat(63)), 'b'.repeat(61)].join('.')

describe('parse', () => {
  test.each([
    ['api.example.com', 'api.example.com'],
    ['API.Example.COM', 'api.example.com'],
    ['api.example.com:8443', 'api.example.com:8443'],
    ['api.example.com:443', 'api.example.com'],
    ['api.example.com:80', 'api.example.com:80'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
    ['a-b.c-d.example', 'a-b.c-d.example'],
    ['1.example', '1.example'],
    ['intranet', 'intranet'],
    ['localhost', 'localhost'],
    ['LOCALHOST:4021', 'localhost:4021'],
    ['localhost:443', 'localhost:443'],
    ['localhost:80', 'localhost'],
    ['127.0.0.1:4021', '127.0.0.1:4021'],
    ['93.184.216.34', '93.184.216.34'],
    ['[::1]:4021', '[::1]:4021'],
    ['[2001:DB8::1]', '[2001:db8::1]'],
    ['[2001:db8::1]:443', '[2001:db8::1]'],
    ['api.example.com:65535', 'api.example.com:65535'],
    [longest, longest],
  ])('default: %s', (value, host) => {
    expect(Host.parse(value)).toBe(host)
    expect(Host.parse(host)).toBe(host)
  })

  test.each([
    ['not a string', 1, 'Not a host.'],
    ['null', null, 'Not a host.'],
    ['the empty string', '', 'empty'],
    ['white space', 'api.example.com ', 'white space'],
    ['a tab in it', 'api.\texample.com', 'white space'],
    ['a scheme', 'https://api.example.com', 'no scheme'],
    ['another scheme', 'ftp://api.example.com', 'no scheme'],
    ['a scheme without slashes', 'https:api.example.com', 'no scheme'],
    ['a path', 'api.example.com/v1', 'no path'],
    ['a slash at the end', 'api.example.com/', 'no path'],
    ['a backslash', 'api.example.com\\evil.example', 'no path'],
    ['a query', 'api.example.com?key=1', 'no query'],
    ['a fragment', 'api.example.com#top', 'no fragment'],
    ['a user', 'user@api.example.com', 'no user'],
    ['a wildcard', '*.example.com', 'Wildcards'],
    ['a Cyrillic look-alike', 'аpi.example.com', 'Only ASCII'],
    ['full-width letters', 'ａpi.example.com', 'Only ASCII'],
    ['an ideographic full stop', 'api。example.com', 'Only ASCII'],
    ['a zero-width space', 'api\u200b.example.com', 'Only ASCII'],
    ['a soft hyphen', 'api\u00ad.example.com', 'Only ASCII'],
    ['a dot at the end', 'api.example.com.', 'No dot at the end'],
    ['a dot at the start', '.example.com', 'empty'],
    ['two dots in a row', 'api..example.com', 'empty'],
    ['a dot alone', '.', 'No dot at the end'],
    ['a port alone', ':443', 'empty'],
    ['an underscore', 'my_api.example.com', 'letters, digits and inner hyphens'],
    ['a hyphen at the start of a part', '-api.example.com', 'inner hyphens'],
    ['a hyphen at the end of a part', 'api-.example.com', 'inner hyphens'],
    ['a percent sign', 'api%2eexample.com', 'inner hyphens'],
    ['a part that is too long', `${'a'.repeat(64)}.example`, '1 to 63'],
    ['a name that is too long', `${longest}b`, '253'],
    ['broken punycode', 'xn--a.example', 'Neither a name nor an address'],
    ['port zero', 'api.example.com:0', 'A port is'],
    ['a port that is too high', 'api.example.com:65536', 'A port is'],
    ['a port with a leading zero', 'api.example.com:0443', 'A port is'],
    ['an empty port', 'api.example.com:', 'A port is'],
    ['a signed port', 'api.example.com:+1', 'A port is'],
    ['a hexadecimal IPv4 address', '0x7f.0.0.1', 'usual notation'],
    ['a short IPv4 address', '127.1', 'usual notation'],
    ['an octal IPv4 address', '0177.0.0.1', 'usual notation'],
    ['a decimal IPv4 address', '2130706433', 'usual notation'],
    ['an IPv4 address out of range', '127.0.0.256', 'Neither a name nor an address'],
    ['five bytes', '1.2.3.4.5', 'Neither a name nor an address'],
    ['an IPv6 address without brackets', '::1', 'in brackets'],
    ['an IPv6 address that can be shorter', '[0:0:0:0:0:0:0:1]', 'usual notation'],
    ['an IPv4 address in an IPv6 one', '[::ffff:127.0.0.1]', 'usual notation'],
    ['a zone', '[fe80::1%eth0]', 'Neither a name nor an address'],
    ['an open bracket', '[::1', 'Neither a name nor an address'],
    ['something behind the bracket', '[::1]x', 'A port is'],
    ['two ports', 'api.example.com:1:2', 'in brackets'],
  ])('error: %s', (_, value, why) => {
    const error = thrown(InputError, () => Host.parse(value, 'allow[0]'))
    expect(error.code).toBe('INVALID_HOST')
    expect(error.field).toBe('allow[0]')
    expect(error.message).toContain(why)
  })

  test('error: names what would be valid', () => {
    const valid = (value: string) => thrown(InputError, () => Host.parse(value)).valid
    expect(valid('https://api.example.com/v1')).toContain('"api.example.com"')
    expect(valid('api.example.com/v1')).toContain('"api.example.com"')
    expect(valid('bücher.example')).toContain('"xn--bcher-kva.example"')
    expect(valid('api.example.com.')).toContain('"api.example.com"')
    expect(valid('0x7f.1')).toContain('"127.0.0.1"')
    expect(valid('[0::1]')).toContain('"[::1]"')
    expect(valid('*.example.com')).toContain('"api.example.com"')
  })

  test.each([
    'user:hunter2@api.example.com',
    'https://user:hunter2@api.example.com/v1',
    'user:a/hunter2@api.example.com',
    'user:hunter2',
    'https://user:hunter2',
    'user:hunter2%40api.example.com',
    'user:hunter2\n@api.example.com',
    'api.example.com?key=hunter2',
    'api.example.com/hunter2',
    'api.example.com\\hunter2',
    'api.example.com#hunter2',
    'https://api.example.com/v1?key=hunter2@x',
  ])('error: repeats no secret: %s', (value) => {
    const error = thrown(InputError, () => Host.parse(value))
    expect(JSON.stringify([error.message, error.figures, error.stack])).not.toContain('hunter2')
  })
})

test('isLoopback: default', () => {
  for (const host of ['localhost', 'localhost:80', '127.0.0.1', '127.9.9.9:1', '[::1]', '[::1]:4021'])
    expect(Host.isLoopback(host)).toBe(true)
  for (const host of [
    'api.example.com',
    'localhost.example.com',
    '127.0.0.1.example.com',
    '128.0.0.1',
    '[::2]',
  ])
    expect(Host.isLoopback(host)).toBe(false)
})

describe('ofUrl', () => {
  test.each([
    ['https://api.example.com', 'api.example.com'],
    ['https://API.example.com:443/v1?q=1#top', 'api.example.com'],
    ['https://api.example.com:8443/', 'api.example.com:8443'],
    ['https://api.example.com:80/', 'api.example.com:80'],
    ['http://localhost/', 'localhost'],
    ['http://localhost:80/', 'localhost'],
    ['https://localhost/', 'localhost:443'],
    ['http://127.0.0.1:4021/v1', '127.0.0.1:4021'],
    ['http://[::1]:4021/v1', '[::1]:4021'],
    ['https://api.example.com.evil.io/', 'api.example.com.evil.io'],
    ['https://api.example.com\\@evil.io/', 'api.example.com'],
  ])('default: %s', (url, host) => {
    expect(Host.ofUrl(url)).toEqual({ ok: true, host })
    expect(Host.ofUrl(new URL(url))).toEqual({ ok: true, host })
  })

  test.each([
    ['http', 'http://api.example.com/', 'has to be asked by https'],
    ['http on the https port', 'http://api.example.com:443/', 'has to be asked by https'],
    ['http that looks like loopback', 'http://localhost.example.com/', 'has to be asked by https'],
    ['another scheme', 'ftp://api.example.com/', 'has to be https'],
    ['data', 'data:text/plain,hello', 'has to be https'],
    ['a user', 'https://api.example.com@evil.io/', 'user or password'],
    ['a password', 'https://:hunter2@api.example.com/', 'user or password'],
    ['a relative URL', '/v1', 'absolute'],
    ['no URL', 'api.example.com', 'absolute'],
    ['the empty string', '', 'absolute'],
    ['not a string', 1, 'Not a URL.'],
    ['a dot at the end', 'https://api.example.com./', 'No dot'],
    ['an underscore', 'https://my_api.example.com/', 'inner hyphens'],
  ])('error: %s', (_, url, reason) => {
    const result = Host.ofUrl(url)
    expect(result).toMatchObject({ ok: false, reason: expect.stringContaining(reason) })
    expect(JSON.stringify(result)).not.toContain('hunter2')
  })

  test('behavior: look-alikes are other hosts', () => {
    expect(Host.ofUrl('https://аpi.example.com/')).toEqual({ ok: true, host: 'xn--pi-6kc.example.com' })
  })

  test('behavior: agrees with parse about every host', () => {
    const hosts = fc.tuple(
      fc.oneof(fc.domain(), fc.ipV4(), fc.constant('localhost')),
      fc.integer({ min: 1, max: 65535 }),
    )
    fc.assert(
      fc.property(hosts, ([name, port]) => {
        fc.pre(!name.includes('_'))
        const host = Host.parse(`${name}:${port}`)
        expect(Host.ofUrl(`https://${name}:${port}/v1`)).toEqual({ ok: true, host })
        expect(Host.ofUrl(`${Host.isLoopback(host) ? 'http' : 'https'}://${host}/v1`)).toEqual({
          ok: true,
          host,
        })
      }),
    )
  })
})

test('behavior: whatever parse accepts is what a URL parser makes of it', () => {
  const text = fc.oneof(
    fc.string({ maxLength: 20 }),
    fc.string({ unit: fc.constantFrom(...'0123456789abcdefx.:[]-'), maxLength: 16 }),
  )
  fc.assert(
    fc.property(text, (text) => {
      const read = Host.read(text)
      if (!read.ok) return
      const scheme = Host.isLoopback(read.host) ? 'http' : 'https'
      expect(new URL(`${scheme}://${text}`).host).toBe(read.host)
    }),
    { numRuns: 2000 },
  )
})
