import { stringify } from 'viem'
import { hardcapGuard } from '../../Addresses.js'
import * as Permission from '../../Permission.js'
import * as Policy from '../../Policy.js'
import * as Token from '../../Token.js'
import type { Difference } from '../Comparison.js'
import { Notice } from './parts.js'

/** What a wallet is asked to sign, to the last byte, and the policy that its bytes stand for. */
export function RawPermission({ permission }: { permission: Permission.Permission }) {
  return (
    <details className="hc-raw">
      <summary>What exactly is signed</summary>
      <p>
        This is the typed data (EIP-712), computed on this page from the terms above. Its digest is{' '}
        <code>{Permission.hash(permission)}</code>. Your wallet should show the same fields.
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard. */}
      <section className="hc-scroll" tabIndex={0} aria-label="Typed data">
        <pre>{stringify(Permission.typedData(permission), null, 2)}</pre>
      </section>
      <p>What its extraData means:</p>
      <PolicyOf permission={permission} />
    </details>
  )
}

/** What a permission's extraData narrows: nothing at all, whatever it says, where the guard is not its spender. */
export function PolicyOf({ permission }: { permission: Permission.Permission }) {
  const { spender, extraData, chainId, token } = permission
  if (extraData !== '0x' && spender.toLowerCase() !== hardcapGuard.toLowerCase())
    return (
      <Notice tone="bad" title="Its extraData holds nothing.">
        The spender is {spender}, and not the guard, which alone would heed it. The spender can take the whole
        allowance, and pay it to anybody.
      </Notice>
    )
  const known = Token.known[chainId]?.find(({ address }) => address.toLowerCase() === token.toLowerCase())
  const { sentences } = Policy.explain(extraData, { token: known })
  return (
    <ul>
      {sentences.map((sentence) => (
        <li key={sentence}>{sentence}</li>
      ))}
    </ul>
  )
}

/** Where what would be signed is not what is shown. */
export function Differences({ differences }: { differences: readonly Difference[] }) {
  if (differences.length === 0) return null
  return (
    <Notice tone="bad" title="Do not sign this.">
      What a wallet would be asked to sign is not what is shown here. This page will not ask for your
      signature.
      <table className="hc-caps">
        <thead>
          <tr>
            <th scope="col">Field</th>
            <th scope="col">By the terms shown</th>
            <th scope="col">What would be signed</th>
          </tr>
        </thead>
        <tbody>
          {differences.map(({ field, shown, signed }) => (
            <tr key={`${field} ${signed}`}>
              <th scope="row">{field}</th>
              <td>
                <code>{shown}</code>
              </td>
              <td>
                <code>{signed}</code>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Notice>
  )
}
