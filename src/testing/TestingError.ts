import { HardcapError } from '../errors.js'

/** What can go wrong with a test chain. */
export type TestingCode =
  | 'ANVIL_MISSING'
  | 'ANVIL_FAILED'
  | 'PORT_IN_USE'
  | 'FORK_UNREACHABLE'
  | 'FORK_WRONG_CHAIN'
  | 'FORK_BLOCK_UNKNOWN'
  | 'INVALID_OPTION'
  | 'TIME_PASSED'
  | 'REORG_TOO_DEEP'
  | 'REORG_UNKNOWN_TRANSACTION'
  | 'SNAPSHOT_GONE'
  | 'CALLS_REVERTED'

/** A test chain that cannot start, or cannot do what it was asked. Never shows a fork URL beyond its origin. */
export class TestingError extends HardcapError<TestingCode> {
  override readonly name = 'TestingError'
}
