// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import { CoinbaseSmartWallet } from "../../../contracts/devnet/CoinbaseSmartWallet.sol";
import { FiatTokenBase } from "../../../contracts/devnet/FiatTokenBase.sol";
import { Devnet } from "./Devnet.sol";

contract EIP2612Test is Devnet {
  address internal alice;
  uint256 internal aliceKey;
  address internal immutable bob = makeAddr("bob");

  function setUp() public override {
    super.setUp();
    (alice, aliceKey) = makeAddrAndKey("alice");
  }

  /// Published in EIP-2612.
  function test_default_typehash() public view {
    assertEq(USDC.PERMIT_TYPEHASH(), 0x6e71edae12b1b97f4d1f60370fef10105fa2faae0126114a169c64845d6126c9);
  }

  function test_default_bothOverloads(uint256 value, uint256 ahead) public {
    uint256 deadline = block.timestamp + bound(ahead, 0, 365 days);
    for (uint256 i; i < 2; ++i) {
      bytes memory signature = _sign(aliceKey, alice, value, i, deadline);
      vm.expectEmit(address(USDC));
      emit FiatTokenBase.Approval(alice, bob, value);
      vm.prank(stranger);
      if (i == 0) USDC.permit(alice, bob, value, deadline, signature);
      else _permitVRS(value, deadline, signature);

      assertEq(USDC.allowance(alice, bob), value);
      assertEq(USDC.nonces(alice), i + 1);
      vm.prank(alice);
      USDC.approve(bob, 0);
    }
  }

  /// Unlike an authorization's end, the deadline is a second in which it still works.
  function test_args_atTheDeadline() public {
    bytes memory signature = _sign(aliceKey, alice, 5, 0, block.timestamp);
    USDC.permit(alice, bob, 5, block.timestamp, signature);
    assertEq(USDC.allowance(alice, bob), 5);
  }

  function test_error_expired() public {
    uint256 deadline = block.timestamp - 1;
    bytes memory signature = _sign(aliceKey, alice, 5, 0, deadline);
    vm.expectRevert("FiatTokenV2: permit is expired");
    USDC.permit(alice, bob, 5, deadline, signature);
    vm.expectRevert("FiatTokenV2: permit is expired");
    _permitVRS(5, deadline, signature);
  }

  function test_error_usedTwice() public {
    bytes memory signature = _sign(aliceKey, alice, 5, 0, type(uint256).max);
    USDC.permit(alice, bob, 5, type(uint256).max, signature);
    vm.expectRevert("EIP2612: invalid signature");
    USDC.permit(alice, bob, 5, type(uint256).max, signature);
    vm.expectRevert("EIP2612: invalid signature");
    _permitVRS(5, type(uint256).max, signature);
  }

  function test_error_invalidSignature() public {
    (, uint256 otherKey) = makeAddrAndKey("other");
    uint256 deadline = block.timestamp;
    bytes memory another = _sign(otherKey, alice, 5, 0, deadline);
    bytes memory signature = _sign(aliceKey, alice, 5, 0, deadline);
    vm.expectRevert("EIP2612: invalid signature");
    USDC.permit(alice, bob, 5, deadline, another);
    vm.expectRevert("EIP2612: invalid signature");
    _permitVRS(5, deadline, another);
    vm.expectRevert("EIP2612: invalid signature");
    USDC.permit(alice, bob, 6, deadline, signature);
    vm.expectRevert("EIP2612: invalid signature");
    USDC.permit(alice, stranger, 5, deadline, signature);
    vm.expectRevert("EIP2612: invalid signature");
    USDC.permit(alice, bob, 5, deadline + 1, signature);
    vm.expectRevert("ECRecover: invalid signature length");
    USDC.permit(alice, bob, 5, deadline, hex"1234");
    assertEq(USDC.nonces(alice), 0);
  }

  function test_default_erc1271Owner() public {
    CoinbaseSmartWallet wallet = FACTORY_V1_1.createAccount(_owners(alice, PASSKEY), 0);
    bytes32 digest = _digest(address(wallet), 5, 0, block.timestamp);
    USDC.permit(
      address(wallet), bob, 5, block.timestamp, _wrap(1, _webauthn(PASSKEY, wallet.replaySafeHash(digest)))
    );
    assertEq(USDC.allowance(address(wallet), bob), 5);

    bytes memory plain = _ecdsa(aliceKey, _digest(address(wallet), 5, 1, block.timestamp));
    vm.expectRevert("EIP2612: invalid signature");
    USDC.permit(address(wallet), bob, 5, block.timestamp, plain);
  }

  /// Since version 2.2: an approval moves nothing.
  function test_behavior_blacklistedMayPermit() public {
    vm.prank(circle);
    USDC.blacklist(alice);
    USDC.permit(alice, bob, 5, block.timestamp, _sign(aliceKey, alice, 5, 0, block.timestamp));
    assertEq(USDC.allowance(alice, bob), 5);
  }

  function test_error_paused() public {
    vm.prank(circle);
    USDC.pause();
    bytes memory signature = _sign(aliceKey, alice, 5, 0, block.timestamp);
    vm.expectRevert("Pausable: paused");
    USDC.permit(alice, bob, 5, block.timestamp, signature);
    vm.expectRevert("Pausable: paused");
    _permitVRS(5, block.timestamp, signature);
  }

  /* HELPERS */

  function _permitVRS(uint256 value, uint256 deadline, bytes memory signature) internal {
    bytes32 r;
    bytes32 s;
    uint8 v;
    assembly ("memory-safe") {
      r := mload(add(signature, 0x20))
      s := mload(add(signature, 0x40))
      v := byte(0, mload(add(signature, 0x60)))
    }
    USDC.permit(alice, bob, value, deadline, v, r, s);
  }

  function _digest(address owner, uint256 value, uint256 nonce, uint256 deadline)
    internal
    view
    returns (bytes32)
  {
    bytes32 typehash =
      keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
    bytes32 structHash = keccak256(abi.encode(typehash, owner, bob, value, nonce, deadline));
    return keccak256(abi.encodePacked("\x19\x01", USDC.DOMAIN_SEPARATOR(), structHash));
  }

  function _sign(uint256 key, address owner, uint256 value, uint256 nonce, uint256 deadline)
    internal
    view
    returns (bytes memory)
  {
    return _ecdsa(key, _digest(owner, value, nonce, deadline));
  }
}
