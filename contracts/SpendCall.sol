// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ISpendPermissionManager } from "./interfaces/ISpendPermissionManager.sol";
import { PermissionHash } from "./PermissionHash.sol";

/// @dev Where in memory the calldata of `SPM.spend(permission, value)` lies.
type SpendCall is uint256;

/// @title SpendCallLib
/// @notice `SPM.spend(permission, value)` and SPM's hash of the permission, from one copy of it. The fields are copied as
///         they came, not each read and checked, which SPM does anyway: one that does not fit its type makes a hash that
///         is nobody's and a call that SPM refuses.
/// @dev In memory, from the pointer, in words: selector | start of the permission | value | account, spender, token,
///      allowance, period, start, end, salt | start of extraData | its length | extraData.
///      With the typehash in place of the value and the hash of extraData in place of its start, the ten words from
///      there on are what EIP-712 hashes.
library SpendCallLib {
  uint256 private constant _VALUE = 0x40;
  uint256 private constant _ACCOUNT = 0x60;
  uint256 private constant _EXTRA_DATA_START = 0x160;
  uint256 private constant _EXTRA_DATA_LENGTH = 0x180;
  uint256 private constant _EXTRA_DATA = 0x1a0;

  /// @param extraData The permission's.
  function prepare(ISpendPermissionManager.SpendPermission calldata permission, bytes calldata extraData)
    internal
    pure
    returns (SpendCall spendCall)
  {
    uint256 selector = uint32(ISpendPermissionManager.spend.selector);
    assembly ("memory-safe") {
      spendCall := mload(0x40)
      mstore(spendCall, selector)
      mstore(add(spendCall, 0x20), 0x40)
      calldatacopy(add(spendCall, _ACCOUNT), permission, 0x100)
      mstore(add(spendCall, _EXTRA_DATA_LENGTH), extraData.length)
      calldatacopy(add(spendCall, _EXTRA_DATA), extraData.offset, extraData.length)
      mstore(0x40, and(add(add(spendCall, extraData.length), add(_EXTRA_DATA, 31)), not(31)))
    }
  }

  /// @param domain SPM's, as `PermissionHash.domain`.
  function hash(SpendCall spendCall, bytes32 domain) internal pure returns (bytes32 result) {
    bytes32 typehash = PermissionHash.TYPEHASH;
    assembly ("memory-safe") {
      mstore(add(spendCall, _VALUE), typehash)
      let extraDataHash := keccak256(add(spendCall, _EXTRA_DATA), mload(add(spendCall, _EXTRA_DATA_LENGTH)))
      mstore(add(spendCall, _EXTRA_DATA_START), extraDataHash)
      let structHash := keccak256(add(spendCall, _VALUE), 0x140)
      let m := mload(0x40)
      mstore(m, hex"1901")
      mstore(add(m, 0x02), domain)
      mstore(add(m, 0x22), structHash)
      result := keccak256(m, 0x42)
    }
  }

  /// @dev Reverts as SPM does. Assumes that SPM has code.
  function send(SpendCall spendCall, uint256 value) internal {
    address spm = address(PermissionHash.SPM);
    assembly ("memory-safe") {
      mstore(add(spendCall, _VALUE), value)
      mstore(add(spendCall, _EXTRA_DATA_START), 0x120)
      // The selector is the last four bytes of its word.
      let length := add(0x184, mload(add(spendCall, _EXTRA_DATA_LENGTH)))
      if iszero(call(gas(), spm, 0, add(spendCall, 0x1c), length, 0, 0)) {
        returndatacopy(0, 0, returndatasize())
        revert(0, returndatasize())
      }
    }
  }
}
