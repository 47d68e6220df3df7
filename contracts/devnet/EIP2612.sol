// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import { FiatTokenSigned } from "./FiatTokenSigned.sol";

/// @title EIP2612: devnet stand-in, part of FiatToken.
/// @notice Approvals that the owner has signed and anybody submits.
/// @dev DEVNET STAND-IN for USDC. Written by us from published facts. Never deployed elsewhere, unaudited.
abstract contract EIP2612 is FiatTokenSigned {
  bytes32 public constant PERMIT_TYPEHASH =
    keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");

  /// @dev Slot 17.
  mapping(address owner => uint256) private _permitNonces;

  function nonces(address owner) external view returns (uint256) {
    return _permitNonces[owner];
  }

  function permit(
    address owner,
    address spender,
    uint256 value,
    uint256 deadline,
    uint8 v,
    bytes32 r,
    bytes32 s
  ) external {
    _permit(owner, spender, value, deadline, abi.encodePacked(r, s, v));
  }

  function permit(address owner, address spender, uint256 value, uint256 deadline, bytes memory signature)
    external
  {
    _permit(owner, spender, value, deadline, signature);
  }

  /// @dev Unlike an authorization's `validBefore`, the deadline is inclusive. The type's maximum is "never".
  function _permit(address owner, address spender, uint256 value, uint256 deadline, bytes memory signature)
    private
    whenNotPaused
  {
    require(deadline >= block.timestamp, "FiatTokenV2: permit is expired");
    bytes memory encoded =
      abi.encode(PERMIT_TYPEHASH, owner, spender, value, _permitNonces[owner]++, deadline);
    require(_isSigned(owner, encoded, signature), "EIP2612: invalid signature");
    _approve(owner, spender, value);
  }
}
