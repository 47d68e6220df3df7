import { useId, useState } from 'react'
import * as Grant from '../../Grant.js'
import * as Permission from '../../Permission.js'
import * as Policy from '../../Policy.js'
import * as Comparison from '../../react/Comparison.js'
import { Notice, Party } from '../../react/components/parts.js'
import { Differences, PolicyOf, RawPermission } from '../../react/components/RawPermission.js'
import * as Payload from '../../react/Payload.js'
import * as words from '../../react/words.js'
import * as Time from '../../Time.js'
import * as Token from '../../Token.js'
import * as kept from '../kept.js'
import { KeptGrant } from './GrantPage.js'

/** Says what pasted bytes would do. Nothing of it leaves the page. */
export function DecodePage({ chainId }: { chainId: number }) {
  const [text, setText] = useState('')
  const [terms, setTerms] = useState('')
  const [to, setTo] = useState('')
  const [value, setValue] = useState('')
  const [payloadId, termsId, toId, valueId] = [useId(), useId(), useId(), useId()]
  const payloads = text.trim() === '' ? [] : Payload.read(text, { chainId, to, value })
  const grant = readGrant(terms)
  return (
    <>
      <h1>Decode</h1>
      <p>
        Paste what a wallet asks you to sign or send. It is read on this page alone, and sent nowhere: use it
        to check another page.
      </p>
      <div className="hc-card form">
        <label htmlFor={payloadId}>
          Typed data (JSON), a transaction or calls (JSON), a transaction's data alone, or a permission's
          extraData
        </label>
        <textarea
          id={payloadId}
          rows={8}
          spellCheck={false}
          autoComplete="off"
          value={text}
          onChange={({ target }) => setText(target.value)}
        />
        <div className="beside">
          <label htmlFor={toId}>
            Where data alone goes (to)
            <input
              id={toId}
              spellCheck={false}
              autoComplete="off"
              value={to}
              onChange={({ target }) => setTo(target.value)}
            />
          </label>
          <label htmlFor={valueId}>
            ETH that goes along (value)
            <input
              id={valueId}
              inputMode="decimal"
              autoComplete="off"
              value={value}
              onChange={({ target }) => setValue(target.value)}
            />
          </label>
        </div>
        <label htmlFor={termsId}>The grant to compare it with (JSON, may be left empty)</label>
        <textarea
          id={termsId}
          rows={3}
          spellCheck={false}
          autoComplete="off"
          value={terms}
          onChange={({ target }) => setTerms(target.value)}
        />
        {grant instanceof Error ? <Notice tone="bad">{grant.message}</Notice> : null}
      </div>
      <div aria-live="polite" className="cards">
        {payloads.map((payload, n) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the order of what a payload does is what tells them apart.
          <Decoded key={n} payload={payload} grant={grant instanceof Error ? undefined : grant} />
        ))}
      </div>
    </>
  )
}

function Decoded({ payload, grant }: { payload: Payload.Payload; grant: Grant.Grant | undefined }) {
  switch (payload.kind) {
    case 'unknown':
      return (
        <Notice tone="bad" title="Not known here.">
          {payload.words} Do not sign it unless you know what it is.
        </Notice>
      )
    case 'condition':
      return (
        <Notice tone="warn" title="Compare this with your wallet.">
          {payload.words}
        </Notice>
      )
    case 'action':
      return <Notice title="It does this:">{payload.words}</Notice>
    case 'policy':
      return (
        <section className="hc-card">
          <h2>A policy</h2>
          <p>
            It only narrows what a permission allows, and only where the permission's spender is the guard.
          </p>
          <ul>
            {payload.explanation.sentences.map((sentence) => (
              <li key={sentence}>{sentence}</li>
            ))}
          </ul>
        </section>
      )
    case 'permission':
      return <DecodedPermission permission={payload.permission} how={payload.words} grant={grant} />
  }
}

type PermissionProps = {
  permission: Permission.Permission
  how: string
  grant: Grant.Grant | undefined
}

function DecodedPermission({ permission, how, grant }: PermissionProps) {
  const { account, spender, token, allowance, period, start, end, chainId } = permission
  const known = Token.known[chainId]?.find(({ address }) => address.toLowerCase() === token.toLowerCase())
  const amount = known === undefined ? `${allowance} base units of ${token}` : words.money(allowance, known)
  const howOften = period >= end - start ? 'in all' : `every ${words.seconds(period).replace(/^1 /, '')}`
  const explanation = Policy.explain(permission.extraData)
  const seen =
    explanation.kind === 'policy'
      ? kept.of(explanation.policy.grantId)
      : kept.all().filter((terms) => Comparison.of(terms.grant, permission).length === 0)
  const mine = seen.find((terms) => Permission.equals(terms.permission, permission)) ?? seen.at(-1)
  const compared = grant ?? mine?.grant
  const replaces = explanation.kind === 'policy' ? (explanation.policy.replaces ?? undefined) : undefined
  const differences = compared === undefined ? undefined : Comparison.of(compared, permission, { replaces })
  const stoppable = grant !== undefined && differences?.length === 0 ? [{ grant, permission }] : seen
  return (
    <section className="hc-card">
      <h2>{how}</h2>
      <p className="hc-lead">
        It lets <Party address={spender} /> take up to {amount} {howOften} out of <Party address={account} />,
        from {words.date(start)} until {end === Time.max ? 'it is revoked' : words.date(end)}.
      </p>
      <PolicyOf permission={permission} />
      {differences === undefined ? (
        <Notice>
          There is no grant to compare it with. Paste one, or open the grant in this browser first.
        </Notice>
      ) : differences.length === 0 ? (
        <Notice tone="good" title="It is the grant's.">
          Every field is what the grant compiles to.
        </Notice>
      ) : (
        <Differences differences={differences} />
      )}
      <RawPermission permission={permission} />
      {stoppable.map((terms) => (
        <KeptGrant key={Permission.hash(terms.permission)} terms={terms} />
      ))}
    </section>
  )
}

function readGrant(text: string): Grant.Grant | Error | undefined {
  if (text.trim() === '') return undefined
  try {
    return Grant.parse(text)
  } catch (error) {
    return error instanceof Error ? error : new Error('It cannot be read.')
  }
}
