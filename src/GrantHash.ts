import { encodeAbiParameters, type Hex, keccak256, maxUint256, parseAbiParameters, zeroAddress } from 'viem'
import type { Grant } from './Grant.js'

/** The struct whose ABI encoding `hash` hashes. */
const terms = parseAbiParameters([
  'Terms terms',
  'struct Terms { string encoding; bytes32 grantId; string id; address owner; address agent; address orchestrator; uint256 chainId; address token; string rail; Allowed[] allow; string payees; uint256 perCall; uint256 perTask; uint256 perDay; uint256 total; uint256 perWindow; uint256 window; uint256 maxFloat; uint256 startsAt; uint256 expiresAt; string hold; }',
  'struct Allowed { string host; address[] payTo; }',
])

/**
 * The commitment to all terms of a grant, those included that only the process can hold: everything but the
 * status, which changes without anybody agreeing to it anew. It goes into the salt of the grant's permissions.
 *
 * Anybody can recompute it: it is `keccak256(abi.encode(terms))` in Solidity, where `terms` is
 *
 * ```solidity
 * struct Terms {
 *   string encoding;      // "hardcap.grant.v1"
 *   bytes32 grantId;
 *   string id;
 *   address owner;
 *   address agent;
 *   address orchestrator; // address(0) where absent
 *   uint256 chainId;
 *   address token;
 *   string rail;          // "direct", "guard" or "purse"
 *   Allowed[] allow;      // sorted by host
 *   string payees;        // "listed" or "any"
 *   uint256 perCall;      // base units of the token, as the next four
 *   uint256 perTask;      // type(uint256).max where absent, as the next three
 *   uint256 perDay;
 *   uint256 total;
 *   uint256 perWindow;
 *   uint256 window;       // seconds; 0 where absent
 *   uint256 maxFloat;     // base units; 0 where absent
 *   uint256 startsAt;     // unix seconds
 *   uint256 expiresAt;    // type(uint256).max where absent
 *   string hold;          // "day" or "total"
 * }
 * struct Allowed { string host; address[] payTo; } // payees in ascending order
 * ```
 */
export function hash(grant: Grant): Hex {
  const { chainId, token, startsAt, expiresAt } = grant
  return keccak256(
    encodeAbiParameters(terms, [
      {
        ...grant,
        encoding: 'hardcap.grant.v1',
        orchestrator: grant.orchestrator ?? zeroAddress,
        chainId: BigInt(chainId),
        token: token.address,
        perTask: grant.perTask ?? maxUint256,
        perDay: grant.perDay ?? maxUint256,
        total: grant.total ?? maxUint256,
        perWindow: grant.perWindow ?? maxUint256,
        window: BigInt(grant.window ?? 0),
        maxFloat: grant.maxFloat ?? 0n,
        startsAt: BigInt(startsAt),
        expiresAt: expiresAt === null ? maxUint256 : BigInt(expiresAt),
      },
    ]),
  )
}
