import { useAccount } from 'wagmi'
import { useSignIn } from '../../react/acts.js'
import { Connect } from '../../react/components/Connect.js'
import { Act, Failure, pays } from '../../react/components/parts.js'
import { useSession } from '../../react/reads.js'

/** Connect, then sign in: by a signature that moves nothing. */
export function SignIn() {
  const { isConnected } = useAccount()
  const { signIn } = useSignIn()
  return (
    <section className="hc-card" aria-label="Sign in">
      <h2>Sign in with the wallet</h2>
      <p>You see the grants of your own wallet, and nobody else does.</p>
      {isConnected ? (
        <Act
          tone="primary"
          label="Sign in"
          pays={pays.nobody}
          busy={signIn.isPending ? 'Look at your wallet\u2026' : undefined}
          onClick={() => signIn.mutate()}
        />
      ) : (
        <Connect />
      )}
      {signIn.error === null ? null : <Failure error={signIn.error} />}
    </section>
  )
}

/** The end of a session, where there is one. */
export function SignOut() {
  const { data } = useSession()
  const { signOut } = useSignIn()
  if (data === undefined || data === null) return null
  return (
    <button
      type="button"
      className="hc-button hc-small"
      disabled={signOut.isPending}
      onClick={() => signOut.mutate()}
    >
      Sign out
    </button>
  )
}
