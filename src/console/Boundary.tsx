import { Component, type ReactNode } from 'react'
import { Notice } from '../react/components/parts.js'

type Props = {
  /** What is shown inside: once it is another, showing it is tried again. */
  of: unknown
  /** What to show in its place, after the words that it cannot be shown. */
  instead: ReactNode
  children?: ReactNode
}
type State = { of: unknown; hasFailed: boolean }

/**
 * Keeps an answer that makes no sense from taking the whole page along, buttons to stop a grant included. React has no
 * hook for it.
 */
export class Boundary extends Component<Props, State> {
  override state: State = { of: this.props.of, hasFailed: false }

  static getDerivedStateFromError(): Partial<State> {
    return { hasFailed: true }
  }

  static getDerivedStateFromProps({ of }: Props, state: State): Partial<State> | null {
    return of === state.of ? null : { of, hasFailed: false }
  }

  override render(): ReactNode {
    if (!this.state.hasFailed) return this.props.children
    return (
      <>
        <Notice tone="bad" title="It cannot be shown.">
          The answer is not one that makes sense here. Nothing of it was shown or signed.
        </Notice>
        {this.props.instead}
      </>
    )
  }
}
