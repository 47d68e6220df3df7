// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import { CoinbaseSmartWallet } from "../../../contracts/devnet/CoinbaseSmartWallet.sol";
import { EIP3009Base } from "./EIP3009Base.sol";

/// Whose signature counts for a payer, with and without code.
contract EIP3009SignatureTest is EIP3009Base {
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
}
