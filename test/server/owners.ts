/** Two owners with a grant each on one server, and a key that is for the first one's. */
import type { Base } from '../../src/testing/index.js'
import * as kit from './kit.js'

export async function twoOwners(base: Base, options: Parameters<typeof kit.start>[1] = {}) {
  const server = await kit.start(base, options)
  const [own, other] = [await kit.grant(base, server), await kit.grant(base, server)]
  const owner = await kit.signIn(server, own.wallet)
  const stranger = await kit.signIn(server, other.wallet)
  const key = await kit.key(server, { grants: [own.grant.grantId] })
  const path = `/v1/grants/${own.grant.grantId}`
  const otherPath = `/v1/grants/${other.grant.grantId}`
  return { server, own, other, owner, stranger, key, path, otherPath }
}
