'use client'
import { useState } from 'react'

/** A button that puts the text where it can be pasted from, and says whether it did. */
export function Copy({ text, label }: { text: string; label: string }) {
  const [said, setSaid] = useState('')
  const copy = async () => {
    try {
      // Not there on pages without TLS, whatever its type says.
      await navigator.clipboard.writeText(text)
      setSaid('Copied.')
    } catch {
      setSaid('The browser does not let this page copy: select it by hand.')
    }
  }
  return (
    <span className="hc-copy">
      <button type="button" className="hc-button hc-small" onClick={() => void copy()}>
        {label}
      </button>{' '}
      <span role="status">{said}</span>
    </span>
  )
}
