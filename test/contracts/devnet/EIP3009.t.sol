// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import { CoinbaseSmartWallet } from "../../../contracts/devnet/CoinbaseSmartWallet.sol";
import { EIP3009 } from "../../../contracts/devnet/EIP3009.sol";
import { FiatTokenBase } from "../../../contracts/devnet/FiatTokenBase.sol";
import { EIP3009Base } from "./EIP3009Base.sol";

contract EIP3009Test is EIP3009Base {
  /// Published in EIP-3009 and by Circle.
  function test_default_typehashes() public view {
    assertEq(
      USDC.TRANSFER_WITH_AUTHORIZATION_TYPEHASH(),
      0x7c7c6cdb67a18743f49ec6fa9b35f50d52ed05cbed4cc592e13b44501c1a2267
    );
    assertEq(
      USDC.RECEIVE_WITH_AUTHORIZATION_TYPEHASH(),
      0xd099cc98ef71107a616c4f0f941f04c322d8e254fe26b3c6668db87aae413de8
    );
    assertEq(
      USDC.CANCEL_AUTHORIZATION_TYPEHASH(), 0x158b0a9edf7a828aad02f63cd515c68ef2f50ba807396f6d12842833a1597429
    );
  }

  /* WITHIN */

  function test_default_everyOverload(uint256 value, bytes32 nonce) public {
    a.value = bound(value, 0, 25e6);
    for (uint256 i; i < 4; ++i) {
      a.nonce = keccak256(abi.encode(nonce, i));
      assertFalse(USDC.authorizationState(payer, a.nonce));
      bytes memory signature = _sign(Kind(i), payerKey);
      vm.expectEmit(address(USDC));
      emit EIP3009.AuthorizationUsed(payer, a.nonce);
      vm.expectEmit(address(USDC));
      emit FiatTokenBase.Transfer(payer, payee, a.value);
      _submit(Kind(i), signature);

      assertTrue(USDC.authorizationState(payer, a.nonce));
      assertEq(USDC.balanceOf(payee), (i + 1) * a.value);
      assertEq(USDC.balanceOf(payer), 100e6 - (i + 1) * a.value);
    }
  }

  function test_behavior_anybodySubmitsATransfer(address submitter) public {
    vm.assume(submitter != proxyAdmin && submitter != address(USDC));
    bytes memory signature = _sign(Kind.TransferBytes, payerKey);
    vm.prank(submitter);
    USDC.transferWithAuthorization(a.from, a.to, a.value, a.validAfter, a.validBefore, a.nonce, signature);
    assertEq(USDC.balanceOf(payee), a.value);
  }

  /// Nonces are the payer's own.
  function test_behavior_anotherPayersNonce() public {
    _submit(Kind.TransferVRS, _sign(Kind.TransferVRS, payerKey));
    (address other, uint256 otherKey) = makeAddrAndKey("other");
    _mint(other, 10e6);
    a.from = other;
    _submit(Kind.TransferVRS, _sign(Kind.TransferVRS, otherKey));
    assertEq(USDC.balanceOf(payee), 20e6);
  }

  /* THE SECONDS */

  /// Both ends are exclusive: the first second that works is after validAfter, the last one before validBefore.
  function test_args_validAtTheFirstAndTheLastSecond() public {
    for (uint256 i; i < 4; ++i) {
      uint256 start = block.timestamp;
      a.validAfter = start - 1;
      a.validBefore = start + 10;
      a.nonce = keccak256(abi.encode("first", i));
      _submit(Kind(i), _sign(Kind(i), payerKey));

      a.nonce = keccak256(abi.encode("last", i));
      vm.warp(start + 9);
      _submit(Kind(i), _sign(Kind(i), payerKey));
    }
    assertEq(USDC.balanceOf(payee), 80e6);
  }

  function test_error_notYetValid() public {
    a.validAfter = block.timestamp;
    a.validBefore = block.timestamp + 10;
    _refuseAll("FiatTokenV2: authorization is not yet valid");
    vm.warp(block.timestamp - 1);
    _refuseAll("FiatTokenV2: authorization is not yet valid");
  }

  function test_error_expired() public {
    a.validBefore = block.timestamp;
    _refuseAll("FiatTokenV2: authorization is expired");
    vm.warp(block.timestamp + 1);
    _refuseAll("FiatTokenV2: authorization is expired");
  }

  function test_args_theWidestWindow() public {
    (a.validAfter, a.validBefore) = (0, type(uint256).max);
    _submit(Kind.TransferVRS, _sign(Kind.TransferVRS, payerKey));
    assertEq(USDC.balanceOf(payee), a.value);
  }

  /* ONCE */

  function test_error_usedTwice() public {
    for (uint256 i; i < 4; ++i) {
      a.nonce = keccak256(abi.encode(i));
      _submit(Kind(i), _sign(Kind(i), payerKey));
      // Of whichever kind, and with whichever terms.
      a.value = 1;
      _refuseAll(USED);
    }
  }

  function test_error_receive_callerMustBeThePayee() public {
    bytes memory signature = _sign(Kind.ReceiveBytes, payerKey);
    (bytes32 r, bytes32 s, uint8 v) = _split(signature);
    vm.startPrank(stranger);
    vm.expectRevert("FiatTokenV2: caller must be the payee");
    USDC.receiveWithAuthorization(a.from, a.to, a.value, a.validAfter, a.validBefore, a.nonce, signature);
    vm.expectRevert("FiatTokenV2: caller must be the payee");
    USDC.receiveWithAuthorization(a.from, a.to, a.value, a.validAfter, a.validBefore, a.nonce, v, r, s);
  }

  /* BALANCE, BLACKLIST, PAUSE */

  function test_error_balance() public {
    a.value = 100e6 + 1;
    _refuseAll("ERC20: transfer amount exceeds balance");
    assertFalse(USDC.authorizationState(payer, a.nonce), "the nonce is still there");
  }

  function test_error_blacklisted() public {
    address[2] memory ends = [payer, payee];
    for (uint256 i; i < 2; ++i) {
      vm.prank(circle);
      USDC.blacklist(ends[i]);
      _refuseAll("Blacklistable: account is blacklisted");
      vm.prank(circle);
      USDC.unBlacklist(ends[i]);
    }
    _submit(Kind.TransferVRS, _sign(Kind.TransferVRS, payerKey));
  }

  function test_error_paused() public {
    vm.prank(circle);
    USDC.pause();
    _refuseAll("Pausable: paused");
    bytes memory signature = _signCancel(payerKey, payer, a.nonce);
    vm.expectRevert("Pausable: paused");
    USDC.cancelAuthorization(payer, a.nonce, signature);
  }

  /* CANCEL */

  function test_default_cancel(bytes32 nonce) public {
    a.nonce = nonce;
    bytes memory signature = _signCancel(payerKey, payer, nonce);
    (bytes32 r, bytes32 s, uint8 v) = _split(signature);
    uint256 snapshot = vm.snapshotState();
    for (uint256 i; i < 2; ++i) {
      vm.expectEmit(address(USDC));
      emit EIP3009.AuthorizationCanceled(payer, nonce);
      vm.prank(stranger);
      if (i == 0) USDC.cancelAuthorization(payer, nonce, signature);
      else USDC.cancelAuthorization(payer, nonce, v, r, s);

      assertTrue(USDC.authorizationState(payer, nonce));
      _refuseAll(USED);
      vm.revertToState(snapshot);
    }
  }

  function test_default_cancelByContract() public {
    CoinbaseSmartWallet wallet = _walletAsPayer();
    bytes32 structHash = keccak256(abi.encode(USDC.CANCEL_AUTHORIZATION_TYPEHASH(), address(wallet), a.nonce));
    bytes32 digest = keccak256(abi.encodePacked("\x19\x01", USDC.DOMAIN_SEPARATOR(), structHash));
    USDC.cancelAuthorization(
      address(wallet), a.nonce, _wrap(0, _ecdsa(payerKey, wallet.replaySafeHash(digest)))
    );
    assertTrue(USDC.authorizationState(address(wallet), a.nonce));
  }

  function test_error_cancel() public {
    bytes memory signature = _signCancel(payerKey, payer, a.nonce);
    (bytes32 r, bytes32 s, uint8 v) = _split(signature);
    vm.expectRevert(bytes(INVALID));
    USDC.cancelAuthorization(payer, "another nonce", signature);
    vm.expectRevert(bytes(INVALID));
    USDC.cancelAuthorization(payer, "another nonce", v, r, s);
    vm.expectRevert(bytes(INVALID));
    USDC.cancelAuthorization(payee, a.nonce, signature);

    _submit(Kind.TransferVRS, _sign(Kind.TransferVRS, payerKey));
    vm.expectRevert(bytes(USED));
    USDC.cancelAuthorization(payer, a.nonce, signature);
    vm.expectRevert(bytes(USED));
    USDC.cancelAuthorization(payer, a.nonce, v, r, s);
  }
}
