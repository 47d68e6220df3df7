'use client'
import { useState } from 'react'
import type * as Schema from '../../server/Schema.js'
import { useReceipts } from '../reads.js'
import * as words from '../words.js'
import { Failure, Loading, Party } from './parts.js'

type Props = {
  grantId: string
  token: { symbol: string; decimals: number }
  explorerUrl?: string | undefined
}

const kinds = [
  'reserved',
  'refused',
  'settled',
  'released',
  'stranded',
  'reorged',
  'foreign',
  'paused',
  'resumed',
  'replaced',
] as const satisfies readonly Schema.ReceiptKind[]

const tones: Partial<Record<Schema.ReceiptKind, 'good' | 'warn' | 'bad'>> = {
  settled: 'good',
  refused: 'warn',
  paused: 'warn',
  stranded: 'bad',
  reorged: 'bad',
  foreign: 'bad',
}

/** Every decision and settlement, refusals included, newest first, with filters. */
export function ReceiptTable({ grantId, token, explorerUrl }: Props) {
  const [kind, setKind] = useState<Schema.ReceiptKind>()
  const [host, setHost] = useState('')
  const filter = { kind, host: host.trim() === '' ? undefined : host.trim() }
  const { data, error, isPending, hasNextPage, fetchNextPage, isFetchingNextPage, refetch } = useReceipts(
    grantId,
    filter,
  )
  const receipts = data?.pages.flatMap((page) => page.receipts) ?? []
  return (
    <div className="hc-receipts">
      <div className="hc-filters">
        <label>
          What happened
          <select
            value={kind ?? ''}
            onChange={({ target }) => setKind(kinds.find((name) => name === target.value))}
          >
            <option value="">everything</option>
            {kinds.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <label>
          Host
          <input
            type="search"
            value={host}
            placeholder="all"
            autoComplete="off"
            onChange={({ target }) => setHost(target.value)}
          />
        </label>
      </div>
      {error === null ? null : <Failure error={error} again={() => void refetch()} />}
      {isPending && error === null ? <Loading what="receipts" lines={6} /> : null}
      {receipts.length === 0 && data !== undefined ? (
        <p className="hc-muted">{hasNextPage ? 'Nothing in the latest receipts.' : 'No receipts.'}</p>
      ) : null}
      {receipts.length === 0 ? null : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard.
        <section className="hc-scroll" tabIndex={0} aria-label="Receipts">
          <table>
            <thead>
              <tr>
                <th scope="col">When</th>
                <th scope="col">What</th>
                <th scope="col" className="hc-number">
                  Amount
                </th>
                <th scope="col">Host</th>
                <th scope="col">Payee</th>
                <th scope="col">Transaction</th>
              </tr>
            </thead>
            <tbody>
              {receipts.map((receipt) => (
                <Row key={receipt.seq} receipt={receipt} token={token} explorerUrl={explorerUrl} />
              ))}
            </tbody>
          </table>
        </section>
      )}
      {hasNextPage ? (
        <button
          type="button"
          className="hc-button hc-small"
          disabled={isFetchingNextPage}
          onClick={() => void fetchNextPage()}
        >
          {isFetchingNextPage ? 'Loading\u2026' : 'Older receipts'}
        </button>
      ) : null}
    </div>
  )
}

function Row({ receipt, token, explorerUrl }: Omit<Props, 'grantId'> & { receipt: Schema.ReceiptJson }) {
  const { time, event, note, amount, host, payee, txHash } = receipt
  const href = txHash === null ? undefined : words.explorer(explorerUrl, { tx: txHash })
  return (
    <tr>
      <td className="hc-nowrap">{words.date(time)}</td>
      <td>
        <span className={`hc-badge hc-${tones[event] ?? 'plain'}`}>{event}</span>{' '}
        {note === event ? null : <code>{words.visible(note)}</code>}
      </td>
      <td className="hc-number hc-nowrap">{amount === '0' ? '' : words.money(amount, token)}</td>
      <td className="hc-nowrap">{words.visible(host ?? '')}</td>
      <td>{payee === null ? '' : <Party address={payee} />}</td>
      <td>{txHash === null ? '' : <Party address={txHash} href={href} />}</td>
    </tr>
  )
}
