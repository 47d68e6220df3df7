// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ISpendPermissionManager } from "../../../contracts/interfaces/ISpendPermissionManager.sol";
import { PurseScene } from "./PurseScene.sol";

/// @dev Payments and cancellations of the scene's purse, and what a test says of them.
abstract contract PurseTest is PurseScene {
  bytes4 internal constant ACCEPTED = 0x1626ba7e;
  bytes4 internal constant REFUSED = 0xffffffff;

  /// @dev An EIP-3009 authorization of the purse.
  struct Payment {
    address to;
    uint112 value;
    uint48 validAfter;
    uint48 validBefore;
    bytes32 nonce;
  }

  /* ---------------------------------------- payments ---------------------------------------- */

  function _payment() internal pure returns (Payment memory) {
    return Payment({
      to: _payee(0), value: 0.05e6, validAfter: START - 60, validBefore: START + 60, nonce: keccak256("nonce")
    });
  }

  function _digest(Payment memory p) internal view returns (bytes32) {
    return _digestOf("TransferWithAuthorization", address(purse), p);
  }

  function _digestOf(string memory name, address from, Payment memory p) internal view returns (bytes32) {
    bytes32 typehash = keccak256(
      abi.encodePacked(
        name, "(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
      )
    );
    return
      _typedData(keccak256(abi.encode(typehash, from, p.to, p.value, p.validAfter, p.validBefore, p.nonce)));
  }

  function _typedData(bytes32 structHash) internal view returns (bytes32) {
    return keccak256(abi.encodePacked("\x19\x01", USDC.DOMAIN_SEPARATOR(), structHash));
  }

  /// @dev For payee 0, signed by the agent, under the permission that funded the purse.
  function _blob(Payment memory p) internal view returns (bytes memory) {
    return _blob(p, _permission());
  }

  function _blob(Payment memory p, ISpendPermissionManager.SpendPermission memory permission)
    internal
    view
    returns (bytes memory)
  {
    return _blob(p, permission, _proof(0), _ecdsa(agentKey, _digest(p)));
  }

  function _blob(
    Payment memory p,
    ISpendPermissionManager.SpendPermission memory permission,
    bytes32[] memory proof,
    bytes memory signature
  ) internal pure returns (bytes memory) {
    bytes memory payment = abi.encodePacked(uint8(1), p.to, p.value, p.validAfter, p.validBefore, p.nonce);
    bytes memory terms = abi.encodePacked(
      permission.allowance,
      permission.period,
      permission.start,
      permission.end,
      permission.salt,
      _slice(permission.extraData, 0, 3),
      uint16(permission.extraData.length - 55),
      _slice(permission.extraData, 55, permission.extraData.length)
    );
    return abi.encodePacked(payment, terms, uint8(proof.length), proof, signature);
  }

  /// @dev As a facilitator does: by the overload that takes bytes.
  function _settle(Payment memory p, bytes memory blob) internal {
    vm.prank(facilitator);
    USDC.transferWithAuthorization(address(purse), p.to, p.value, p.validAfter, p.validBefore, p.nonce, blob);
  }

  /* ---------------------------------------- cancellations ---------------------------------------- */

  function _cancelDigest(bytes32 nonce) internal view returns (bytes32) {
    bytes32 typehash = keccak256("CancelAuthorization(address authorizer,bytes32 nonce)");
    return _typedData(keccak256(abi.encode(typehash, address(purse), nonce)));
  }

  function _cancelBlob(bytes32 nonce) internal view returns (bytes memory) {
    return abi.encodePacked(uint8(2), nonce, _ecdsa(agentKey, _cancelDigest(nonce)));
  }

  /// @dev The first `length` bytes.
  function _cut(bytes memory data, uint256 length) internal pure returns (bytes memory) {
    return _slice(data, 0, length);
  }

  function _slice(bytes memory data, uint256 start, uint256 end) internal pure returns (bytes memory part) {
    part = new bytes(end - start);
    for (uint256 i; i < part.length; ++i) {
      part[i] = data[start + i];
    }
  }

  /* ---------------------------------------- assertions ---------------------------------------- */

  /// @dev The purse agrees, and the token moves the money.
  function _pays(Payment memory p, bytes memory blob) internal {
    assertEq(purse.isValidSignature(_digest(p), blob), ACCEPTED, "accepted");
    uint256 before = USDC.balanceOf(address(purse));
    uint256 received = USDC.balanceOf(p.to);
    _settle(p, blob);
    assertEq(USDC.balanceOf(address(purse)), before - p.value, "paid by the purse");
    assertEq(USDC.balanceOf(p.to), received + p.value, "received by the payee");
    assertTrue(USDC.authorizationState(address(purse), p.nonce), "nonce used");
  }

  function _pays(Payment memory p) internal {
    _pays(p, _blob(p));
  }

  /// @dev The purse answers no, without a revert, and the token moves nothing.
  function _refuses(Payment memory p, bytes memory blob) internal {
    _refuses(_digest(p), blob);
    uint256 before = USDC.balanceOf(address(purse));
    vm.expectRevert("FiatTokenV2: invalid signature");
    _settle(p, blob);
    assertEq(USDC.balanceOf(address(purse)), before, "nothing moved");
  }

  function _refuses(Payment memory p) internal {
    _refuses(p, _blob(p));
  }

  function _refuses(bytes32 hash, bytes memory blob) internal view {
    assertEq(purse.isValidSignature(hash, blob), REFUSED, "refused");
  }
}
