// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import { CoinbaseSmartWallet } from "../../../contracts/devnet/CoinbaseSmartWallet.sol";
import { EIP3009 } from "../../../contracts/devnet/EIP3009.sol";
import { Devnet } from "./Devnet.sol";

/// @notice One authorization, and how to sign and submit it as each kind, by each signature's overload.
abstract contract EIP3009Base is Devnet {
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

  /* SIGNING AND SUBMITTING */

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
