// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { EIP3009 } from "../../../contracts/devnet/EIP3009.sol";
import { PurseTest } from "./PurseTest.sol";

/// @dev `isValidSignature` of a cancellation: the agent's signature, and nothing else.
contract PurseCancellationTest is PurseTest {
  function test_default() public {
    Payment memory p = _payment();
    _cancels(p.nonce);
    bytes memory blob = _blob(p);
    vm.expectRevert("FiatTokenV2: authorization is used or canceled");
    _settle(p, blob);
  }

  function test_args_anyNonce(bytes32 nonce) public {
    _cancels(nonce);
  }

  function test_behavior_pausedRevokedAndEnded() public {
    vm.startPrank(account);
    guard.pause(account, address(USDC), GRANT);
    guard.revoke(_permission());
    vm.stopPrank();
    vm.warp(END);
    _cancels("nonce");
  }

  function test_behavior_byADelegatedAgent() public {
    vm.etch(agent, hex"fe");
    _cancels("nonce");
  }

  function test_error_notTheAgentsSignature(uint256 key) public {
    key = boundPrivateKey(key);
    vm.assume(key != agentKey);
    _refusesToCancel(
      "nonce", abi.encodePacked(uint8(2), bytes32("nonce"), _ecdsa(key, _cancelDigest("nonce")))
    );
  }

  function test_error_anotherNonce(bytes32 nonce) public {
    vm.assume(nonce != "nonce");
    _refusesToCancel("nonce", _cancelBlob(nonce));
    _refusesToCancel("nonce", abi.encodePacked(uint8(2), nonce, _ecdsa(agentKey, _cancelDigest("nonce"))));
    _refusesToCancel(
      "nonce", abi.encodePacked(uint8(2), bytes32("nonce"), _ecdsa(agentKey, _cancelDigest(nonce)))
    );
  }

  /// @dev A cancellation pays nothing, and a payment cancels nothing.
  function test_error_anotherKind() public {
    Payment memory p = _payment();
    _refuses(p, abi.encodePacked(uint8(2), p.nonce, _ecdsa(agentKey, _digest(p))));
    bytes memory blob = _blob(p, _permission(), _proof(0), _ecdsa(agentKey, _cancelDigest(p.nonce)));
    _refusesToCancel(p.nonce, blob);
  }

  function test_error_flippedBit(uint256 bit) public {
    bytes memory blob = _cancelBlob("nonce");
    bit = bound(bit, 0, 8 * blob.length - 1);
    blob[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
    _refusesToCancel("nonce", blob);
  }

  function test_error_lengths() public {
    bytes memory blob = _cancelBlob("nonce");
    for (uint256 length; length + 1 < blob.length; ++length) {
      _refuses(_cancelDigest("nonce"), _cut(blob, length));
    }
    _refusesToCancel("nonce", abi.encodePacked(blob, uint8(0)));
  }

  function _cancels(bytes32 nonce) private {
    bytes memory blob = _cancelBlob(nonce);
    assertEq(purse.isValidSignature(_cancelDigest(nonce), blob), ACCEPTED);
    vm.expectEmit(address(USDC));
    emit EIP3009.AuthorizationCanceled(address(purse), nonce);
    vm.prank(facilitator);
    USDC.cancelAuthorization(address(purse), nonce, blob);
    assertTrue(USDC.authorizationState(address(purse), nonce));
  }

  function _refusesToCancel(bytes32 nonce, bytes memory blob) private {
    _refuses(_cancelDigest(nonce), blob);
    vm.expectRevert("FiatTokenV2: invalid signature");
    USDC.cancelAuthorization(address(purse), nonce, blob);
  }
}
