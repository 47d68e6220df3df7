// Mutants of what keeps others out of the server: file, what stands there (once), what it becomes, the tests that have
// to fail.
const breakIn = ['test/server/breakIn.test.ts']
const signIn = ['test/server/signIn.test.ts']
const requests = ['test/server/requests.test.ts']
const increases = ['test/server/increases.test.ts']
const events = ['test/server/events.test.ts']
const records = ['test/server/records.test.ts']
const system = ['test/server/system.test.ts']

const access = 'src/server/Access.ts'
const sign = 'src/server/SignIn.ts'

export const server = [
  [
    access,
    "if (!key) throw unauthorized()\n    return { kind: 'key', key }",
    "if (key) return { kind: 'key', key }",
    breakIn,
  ],
  [access, 'settings.limiters.perKey.take(found.key.family)', 'void 0', breakIn],
  [access, 'if (!sees) throw', 'if (false) throw', breakIn],
  [access, 'Books.isOf(row, who.session.address) :', 'true :', breakIn],
  [access, "if (key.grants === 'all' || key.grants.includes(grantId)) return true", 'return true', breakIn],
  [
    access,
    "const isSeen = (grantId: Hex) => grants === 'all' ||",
    'const isSeen = (grantId: Hex) => true ||',
    breakIn,
  ],
  [access, 'row.chainId === chainId && Books.isOf(row, address)', 'row.chainId === chainId', breakIn],
  [access, 'if (!key.verbs.includes(verb))', 'if (false)', breakIn],
  [access, "if (found.kind !== 'owner') throw", "if (found.kind !== 'owner' && false) throw", breakIn],
  [access, 'if (!isAddressEqual(session.address, account)) throw', 'if (false) throw', breakIn],
  [access, 'if (!Secret.equal(given, SignIn.csrfToken(token)))', 'if (false)', breakIn],
  [access, 'if (from !== undefined && !origins.includes(from))', 'if (false)', breakIn],
  [access, 'if (trustedProxies > 0) {', 'if (true) {', breakIn],
  [access, 'hops.at(-trustedProxies)', 'hops.at(0)', breakIn],
  [sign, 'if (parsed.domain !== origin.host) throw', 'if (false) throw', signIn],
  [sign, 'if (originOf(parsed.uri) !== origin.origin)', 'if (false)', signIn],
  [sign, 'if (parsed.chainId !== chainId) throw', 'if (false) throw', signIn],
  [sign, '!(await take(options, parsed.nonce))', '!parsed.nonce', signIn],
  [sign, 'if (row) await tx.remove(', 'if (false) await tx.remove(', signIn],
  [sign, 'return row !== undefined && now < row.expiresAt', 'return row !== undefined', signIn],
  [sign, 'issued > now - nonceSeconds - skew', 'true', signIn],
  [sign, 'issued <= now + skew', 'true', signIn],
  [sign, 'if (!isPlain(message)) throw', 'if (false) throw', signIn],
  [sign, 'if (!(await isSigned(', 'if (false && !(await isSigned(', signIn],
  [sign, 'if (!ok) await getChainId(client)', '', signIn],
  [sign, 'Secret.equal(row.hash, hash) && now < row.expiresAt', 'Secret.equal(row.hash, hash)', signIn],
  ['src/server/Chain.ts', ', ccipRead: false', '', signIn],
  ['src/server/Chain.ts', 'if (isSigned) return', 'return', requests],
  ['src/server/Chain.ts', 'if (!approved)', 'if (false)', requests],
  ['src/server/Chain.ts', ' && event.hash === wanted)) return', ')) return', requests],
  ['src/server/Requests.ts', 'key?.family === row.family &&', 'key !== undefined &&', breakIn],
  ['src/server/Requests.ts', "&& now >= expiresAt ? 'expired'", "&& now > expiresAt ? 'expired'", requests],
  [
    'src/server/Requests.ts',
    "    assertOpen(row, now, decision.status)\n    if (row.status !== 'open') return false",
    '',
    requests,
  ],
  [
    'src/server/Increases.ts',
    "if (row.status === 'open' && current.row.permissionHash !== row.replaces)",
    'if (false)',
    increases,
  ],
  [
    'src/server/Increases.ts',
    'await Chain.assertSigned(settings.chain.client',
    'void (settings.chain.client',
    increases,
  ],
  ['src/server/Increases.ts', "key?.verbs.includes('increase')", 'true', increases],
  [
    'src/server/Key.ts',
    'return row && matches && !isOver(row, now)',
    'return row && !isOver(row, now)',
    breakIn,
  ],
  ['src/server/Key.ts', 'revokedAt !== null ||', '', [...breakIn, ...records]],
  ['src/server/Key.ts', 'now >= expiresAt)', 'now > expiresAt)', records],
  ['src/server/Events.ts', '      await stream.assertAllowed()\n', '', events],
  ['src/server/Events.ts', '(held.get(name) ?? 0) >= limits.streams ||', '', events],
  ['src/server/createServer.ts', 'origins.includes(from) ? from : null', 'from', breakIn],
  ['src/server/createServer.ts', 'if (type !== undefined && !', 'if (false && !', breakIn],
  ['src/server/createServer.ts', 'limiters.perAddress.take(Access.callerOf(c, own))', '', breakIn],
  ['src/server/createServer.ts', "'Something went wrong here. It was noted.'", 'error.message', breakIn],
  ['src/server/routes/system.ts', ' && !isForwarded', '', system],
  ['src/server/routes/system.ts', ' && isLoopback(new URL(c.req.url).hostname)', '', system],
  [
    'src/server/Options.ts',
    "url.protocol === 'http:' && isLoopback(url.hostname)",
    "url.protocol === 'http:'",
    system,
  ],
]
