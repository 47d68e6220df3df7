// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import { CoinbaseSmartWallet } from "../../../contracts/devnet/CoinbaseSmartWallet.sol";
import { EIP3009 } from "../../../contracts/devnet/EIP3009.sol";
import { FiatTokenBase } from "../../../contracts/devnet/FiatTokenBase.sol";
import { Devnet } from "./Devnet.sol";

/// What both kinds of authorization share is tested for each in each signature's overload, through `_submit`.
contract EIP3009Test is Devnet {
  string internal constant USED = "FiatTokenV2: authorization is used or canceled";
  string internal constant INVALID = "FiatTokenV2: invalid signature";

  enum Kind {
    TransferVRS,
    TransferBytes,
    ReceiveVRS,
    ReceiveBytes
  }

  EIP3009.Authorization internal a;
  address internal payer;
  uint256 internal payerKey;
  address internal immutable payee = makeAddr("payee");

  function setUp() public override {
    super.setUp();
    (payer, payerKey) = makeAddrAndKey("payer");
    _mint(payer, 100e6);
    a = EIP3009.Authorization({
      from: payer,
      to: payee,
      value: 10e6,
      validAfter: block.timestamp - 1,
      validBefore: block.timestamp + 1,
      nonce: keccak256("nonce")
    });
  }

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

  /* SIGNATURES */

  function test_error_anotherKey(uint256 key) public {
    key = boundPrivateKey(key);
    vm.assume(key != payerKey);
    for (uint256 i; i < 4; ++i) {
      _refuse(Kind(i), _sign(Kind(i), key), INVALID);
    }
  }

  /// Every field is signed: with any one changed, the signature is another's.
  function test_error_anotherField(uint8 field, uint256 delta) public {
    delta = bound(delta, 1, 1e6);
    bytes[4] memory signatures;
    for (uint256 i; i < 4; ++i) {
      signatures[i] = _sign(Kind(i), payerKey);
    }
    field %= 6;
    if (field == 0) a.from = address(uint160(a.from) ^ uint160(delta));
    if (field == 1) a.to = address(uint160(a.to) ^ uint160(delta));
    if (field == 2) a.value += delta;
    if (field == 3) a.validAfter -= delta;
    if (field == 4) a.validBefore += delta;
    if (field == 5) a.nonce = bytes32(uint256(a.nonce) ^ delta);
    for (uint256 i; i < 4; ++i) {
      _refuse(Kind(i), signatures[i], INVALID);
    }
  }

  /// A transfer's signature is none for a receipt, and the other way round.
  function test_error_anotherKind() public {
    _refuse(Kind.ReceiveBytes, _sign(Kind.TransferBytes, payerKey), INVALID);
    _refuse(Kind.ReceiveVRS, _sign(Kind.TransferVRS, payerKey), INVALID);
    _refuse(Kind.TransferBytes, _sign(Kind.ReceiveBytes, payerKey), INVALID);
    _refuse(Kind.TransferVRS, _sign(Kind.ReceiveVRS, payerKey), INVALID);
  }

  function test_error_anotherChain() public {
    bytes memory signature = _sign(Kind.TransferBytes, payerKey);
    vm.chainId(84_532);
    _refuse(Kind.TransferBytes, signature, INVALID);
  }

  function test_error_malformedSignatures() public {
    bytes memory signature = _sign(Kind.TransferBytes, payerKey);
    (bytes32 r, bytes32 s, uint8 v) = _split(signature);
    _refuse(Kind.TransferBytes, "", "ECRecover: invalid signature length");
    _refuse(Kind.TransferBytes, abi.encodePacked(signature, uint8(0)), "ECRecover: invalid signature length");
    for (uint256 i; i < 4; ++i) {
      bytes32 highS = bytes32(0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141 - uint256(s));
      _refuse(Kind(i), abi.encodePacked(r, highS, 55 - v), "ECRecover: invalid signature 's' value");
      _refuse(Kind(i), abi.encodePacked(r, s, v - 27), "ECRecover: invalid signature 'v' value");
      _refuse(Kind(i), abi.encodePacked(bytes32(0), s, v), "ECRecover: invalid signature");
    }
  }

  /* CONTRACTS AS PAYERS */

  function test_default_erc1271Payer() public {
    CoinbaseSmartWallet wallet = _walletAsPayer();
    for (uint256 i; i < 2; ++i) {
      Kind kind = i == 0 ? Kind.TransferBytes : Kind.ReceiveBytes;
      a.nonce = bytes32(i);
      bytes32 hash = wallet.replaySafeHash(_digest(kind));
      _submit(kind, _wrap(i, i == 0 ? _ecdsa(payerKey, hash) : _webauthn(PASSKEY, hash)));
      assertTrue(USDC.authorizationState(address(wallet), a.nonce));
    }
    assertEq(USDC.balanceOf(payee), 20e6);
  }

  function test_error_erc1271PayerRefuses() public {
    CoinbaseSmartWallet wallet = _walletAsPayer();
    // It answers no.
    _refuse(Kind.TransferBytes, _wrap(0, _ecdsa(payerKey, "another hash")), INVALID);
    // It reverts, on an ECDSA signature that is right for an account without code.
    _refuse(Kind.TransferBytes, _ecdsa(payerKey, _digest(Kind.TransferBytes)), INVALID);
    // The v,r,s overload hands it 65 bytes, which it cannot decode either.
    _refuse(Kind.TransferVRS, _ecdsa(payerKey, wallet.replaySafeHash(_digest(Kind.TransferVRS))), INVALID);
  }

  /// A contract that answers everything with another word, or with too few bytes, accepts nothing.
  function test_error_erc1271PayerAnswersOddly() public {
    a.from = makeAddr("contract");
    bytes[4] memory answers =
      [bytes(""), hex"1626ba7e", abi.encode(1), abi.encodePacked(hex"1626ba7e", uint224(1))];
    vm.etch(a.from, hex"fe");
    for (uint256 i; i < answers.length; ++i) {
      vm.mockCall(a.from, abi.encodePacked(bytes4(0x1626ba7e)), answers[i]);
      _refuse(Kind.TransferBytes, "any", INVALID);
    }
    vm.mockCall(a.from, abi.encodePacked(bytes4(0x1626ba7e)), abi.encode(bytes4(0x1626ba7e)));
    _mint(a.from, a.value);
    _submit(Kind.TransferBytes, "any");
    assertEq(USDC.balanceOf(payee), a.value);
  }

  /// A delegation by EIP-7702 is code: from then on the account's own ECDSA does nothing.
  function test_behavior_delegatedAccountIsAContract() public {
    bytes memory signature = _sign(Kind.TransferVRS, payerKey);
    vm.signAndAttachDelegation(WALLET_V1, payerKey);
    assertGt(payer.code.length, 0);
    _refuse(Kind.TransferVRS, signature, INVALID);
    _refuse(Kind.TransferBytes, signature, INVALID);
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

  /* HELPERS */

  function _walletAsPayer() internal returns (CoinbaseSmartWallet wallet) {
    wallet = FACTORY_V1_1.createAccount(_owners(payer, PASSKEY), 0);
    _mint(address(wallet), 100e6);
    a.from = address(wallet);
  }

  function _digest(Kind kind) internal view returns (bytes32) {
    string memory name = kind < Kind.ReceiveVRS ? "Transfer" : "Receive";
    bytes32 typehash = keccak256(
      abi.encodePacked(
        name,
        "WithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
      )
    );
    bytes32 structHash =
      keccak256(abi.encode(typehash, a.from, a.to, a.value, a.validAfter, a.validBefore, a.nonce));
    return keccak256(abi.encodePacked("\x19\x01", USDC.DOMAIN_SEPARATOR(), structHash));
  }

  function _sign(Kind kind, uint256 key) internal view returns (bytes memory) {
    return _ecdsa(key, _digest(kind));
  }

  function _signCancel(uint256 key, address authorizer, bytes32 nonce) internal view returns (bytes memory) {
    bytes32 typehash = keccak256("CancelAuthorization(address authorizer,bytes32 nonce)");
    bytes32 structHash = keccak256(abi.encode(typehash, authorizer, nonce));
    return _ecdsa(key, keccak256(abi.encodePacked("\x19\x01", USDC.DOMAIN_SEPARATOR(), structHash)));
  }

  function _split(bytes memory signature) internal pure returns (bytes32 r, bytes32 s, uint8 v) {
    assembly ("memory-safe") {
      r := mload(add(signature, 0x20))
      s := mload(add(signature, 0x40))
      v := byte(0, mload(add(signature, 0x60)))
    }
  }

  /// @dev As the payee, who is the one that may submit either kind.
  function _submit(Kind kind, bytes memory signature) internal {
    EIP3009.Authorization memory m = a;
    (bytes32 r, bytes32 s, uint8 v) = _split(signature);
    vm.prank(m.to);
    if (kind == Kind.TransferVRS) {
      USDC.transferWithAuthorization(m.from, m.to, m.value, m.validAfter, m.validBefore, m.nonce, v, r, s);
    } else if (kind == Kind.TransferBytes) {
      USDC.transferWithAuthorization(m.from, m.to, m.value, m.validAfter, m.validBefore, m.nonce, signature);
    } else if (kind == Kind.ReceiveVRS) {
      USDC.receiveWithAuthorization(m.from, m.to, m.value, m.validAfter, m.validBefore, m.nonce, v, r, s);
    } else {
      USDC.receiveWithAuthorization(m.from, m.to, m.value, m.validAfter, m.validBefore, m.nonce, signature);
    }
  }

  function _refuse(Kind kind, bytes memory signature, string memory reason) internal {
    vm.expectRevert(bytes(reason));
    _submit(kind, signature);
  }

  /// @dev Each kind with the signature that is right for it.
  function _refuseAll(string memory reason) internal {
    for (uint256 i; i < 4; ++i) {
      _refuse(Kind(i), _sign(Kind(i), payerKey), reason);
    }
  }
}
