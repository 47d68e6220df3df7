/** An orchestrator's word for a task, as a caller hands it over and as the books keep it. */
import { type Hex, isHex, type PublicClient } from 'viem'
import { InputError } from './errors.js'
import type { Grant } from './Grant.js'
import * as Guard from './Guard.js'
import * as Input from './Input.js'
import { type Refusal, refuse } from './Refusal.js'
import { needsTicket } from './State.js'
import * as Time from './Time.js'

export type Ticket = Guard.Ticket

/**
 * @throws InputError `INVALID_VALUE`, `INVALID_AMOUNT`, `INVALID_DATE`
 */
export function read(given: unknown): Ticket {
  const { cap, deadline, signature } = Input.fields(given, 'ticket', ['cap', 'deadline', 'signature'])
  if (!isHex(signature) || signature.length % 2 !== 0 || signature.length === 2)
    throw new InputError('INVALID_VALUE', {
      field: 'ticket.signature',
      given: signature,
      valid: 'what Guard.signTicket returns: bytes in hex',
      why: 'Not a signature.',
    })
  if (typeof cap !== 'bigint' || cap < 0n || cap >= 2n ** 112n)
    throw new InputError('INVALID_AMOUNT', {
      field: 'ticket.cap',
      given: cap,
      valid: 'a bigint of base units from 0 to 2^112 - 1',
      why: 'Not what a task may cost.',
    })
  const end = Input.integer(deadline, 'ticket.deadline', { min: 0, max: Time.max, code: 'INVALID_DATE' })
  return { cap, deadline: end, signature }
}

export function serialize({ cap, deadline, signature }: Ticket): string {
  return JSON.stringify({ cap: String(cap), deadline, signature })
}

export function parse(text: string): Ticket {
  const { cap, deadline, signature } = JSON.parse(text) as { cap: string; deadline: number; signature: Hex }
  return { cap: BigInt(cap), deadline, signature }
}

/**
 * Why an order's ticket is none, if so: the orchestrator has not signed it for this task. A contract is asked by ERC-1271.
 *
 * @throws InputError `INVALID_VALUE` for a ticket that nothing asks for, which the guard would refuse
 */
export async function refusal(
  client: PublicClient,
  grant: Grant,
  order: { readonly task?: string | undefined; readonly ticket?: Ticket | undefined },
): Promise<Refusal | undefined> {
  const { task, ticket } = order
  if (ticket === undefined) return undefined
  const { chainId, owner: account, grantId, orchestrator } = grant
  if (orchestrator === null || task === undefined || !needsTicket({ grant }, 'guard'))
    throw new InputError('INVALID_VALUE', {
      field: 'ticket',
      given: ticket,
      valid:
        'nothing, unless the grant has an orchestrator and a cap per task and the payment names its task',
      why: 'Nothing would hold the ticket.',
    })
  const { signature, ...terms } = ticket
  const hash = Guard.task(task)
  const typed = Guard.ticketTypedData({
    chainId,
    account,
    token: grant.token.address,
    grantId,
    task: hash,
    ...terms,
  })
  if (await client.verifyTypedData({ address: orchestrator, signature, ...typed })) return undefined
  const reason = `${orchestrator} has not signed this ticket for task ${task} of grant ${grant.id}. Ask it for another one.`
  return refuse('TICKET_INVALID', reason, { task, orchestrator })
}
