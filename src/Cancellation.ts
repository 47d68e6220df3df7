/**
 * Taking an authorization back: the agent signs that its nonce be ended, and the token takes that from anybody. Until the
 * books have read it, its payee may still be faster; until it is final, it stays held (`Failure`).
 */
import * as AgentCall from './AgentCall.js'
import * as Authorization from './Authorization.js'
import * as AuthorizationSignature from './AuthorizationSignature.js'
import * as Eip3009 from './Eip3009.js'
import * as Found from './Found.js'
import { GrantError } from './GrantError.js'

/** @throws as `Budget.cancel` */
export async function cancel(caller: AgentCall.Caller, key: string): Promise<void> {
  const { submitter, worker } = caller
  const { store, grantId, agent } = submitter

  /** How far the books know it to be, and what it is signed by. */
  const look = () =>
    store.transact(grantId, async (tx) => {
      const { payment, permission } = await Authorization.terms(tx, grantId, key)
      const isOver = payment.pull !== 'signed' || (await Found.usedNonce(tx, payment)) !== undefined
      return { payment, permission, isOver }
    })

  await worker.round()
  const { payment, permission, isOver } = await look()
  if (!isOver) {
    const { payer, ref: nonce } = payment
    const signature = await AuthorizationSignature.signCancellation(agent, { payer, permission, nonce })
    const call = Eip3009.prepareCancel(permission, { from: payer, nonce, signature })
    const isDone = async () => (await look()).isOver
    const doing = 'Cancelling the authorization'
    await AgentCall.makeByAnybody(caller, { call, outcome: 'cancelled', isDone, doing }).catch(
      async (error: unknown) => {
        // Refused because the nonce is used, in a block that the books had not read.
        await worker.round()
        if (!(await isDone())) throw error
      },
    )
  }
  if ((await look()).payment.pull !== 'seen') return
  throw new GrantError(
    'SETTLED',
    `The authorization ${JSON.stringify(key)} was settled before it could be cancelled: ${payment.amount} base units reached ${payment.payee}.`,
    { figures: { key, amount: payment.amount, payee: payment.payee } },
  )
}
