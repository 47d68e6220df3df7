/** What a grant on the guard rail can have besides: an orchestrator, siblings, replacements, purses. */
import type { LocalAccount } from 'viem'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { type Budget, type Grant, Guard, Permission, Spm, Time } from '../../src/index.js'
import type { Base } from '../../src/testing/index.js'
import * as kit from './kit.js'

/** The grant with other terms, under the same grantId, for `replace`; in place of the permission in use. */
export async function renewed(
  budget: Pick<Budget, 'grant' | 'permission'>,
  { wallet }: Pick<kit.Account, 'wallet'>,
  changes: Partial<Grant.Grant> = {},
  replaces = Permission.hash(budget.permission),
) {
  const grant = { ...budget.grant, ...changes }
  const permission = Permission.fromGrant(grant, { replaces })
  return { grant, permission, signature: await Permission.sign(wallet.account, permission) }
}

/** Another permission under the same grantId, approved: of this agent or another one, with other terms. */
export async function sibling(
  _base: Base,
  account: kit.Account,
  changes: Partial<Grant.Grant> = {},
): Promise<Pick<kit.Account, 'grant' | 'permission' | 'payee'>> {
  const grant = { ...account.grant, ...changes }
  const permission = Permission.fromGrant(grant, { nonce: 7n })
  await account.wallet.execute([Spm.prepareApprove({ permission })])
  return { grant, permission, payee: account.payee }
}

/** An account with gas for transactions. */
export async function withGas(base: Base): Promise<LocalAccount> {
  const account = privateKeyToAccount(generatePrivateKey())
  await base.fundEth(account.address, 10n ** 18n)
  return account
}

/** Lifts the purse of an agent to a balance. Returns what it added to. */
export async function fund(
  base: Base,
  agent: LocalAccount,
  { permission }: Pick<kit.Account, 'permission'>,
  target: bigint,
) {
  const number = Guard.number(Guard.lane(), 0)
  const ref = Guard.reference(Guard.key(permission).grantId, 'funding')
  const deadline = (await base.now()) + Time.day
  const funding = { deadline, task: null, ticket: null, number, ref, target }
  return kit.steal(base, agent, Guard.prepareFund({ permission, funding }))
}

/** An endpoint that keeps the agent's transactions to itself, from now on; resolves with the first that it took. */
export function swallow(endpoint: Pick<ReturnType<typeof kit.endpoint>, 'answer'>): Promise<void> {
  return new Promise((resolve) => {
    endpoint.answer = async ({ method }, forward) => {
      if (method !== 'eth_sendRawTransaction') return forward()
      resolve()
      throw new Error('dropped')
    }
  })
}

/** The number of the payment with a key, as the endpoint was asked to send it. */
export async function numberOf(
  store: ReturnType<ReturnType<typeof kit.books>>,
  grant: Grant.Grant,
  key: string,
) {
  const { grantId } = grant
  const row = await store.transact(grantId, (tx) => tx.get('payments', { grantId, key }))
  if (!row?.number) throw new Error(`Payment ${key} has no number.`)
  return BigInt(row.number)
}
