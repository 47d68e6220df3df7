// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { ISpendPermissionManager } from "./interfaces/ISpendPermissionManager.sol";
import { PermissionHash } from "./PermissionHash.sol";

/// @dev Where in memory the calldata of `SPM.spend(permission, value)` lies.
type SpendCall is uint256;

/// @title SpendCallLib
/// @notice `SPM.spend(permission, value)`, `SPM.isRevoked(permission)` and SPM's hash of the permission, from one copy of it
///         in memory. What came as calldata is copied as it came, not each field read and checked, which SPM does anyway:
///         one that does not fit its type makes a hash that is nobody's and a call that SPM refuses.
/// @dev In memory, from the pointer, in words: selector | start of the permission | value | account, spender, token,
///      allowance, period, start, end, salt | start of extraData | its length | extraData.
///      With the typehash in place of the value and the hash of extraData in place of its start, the ten words from
///      there on are what EIP-712 hashes.
library SpendCallLib {
  uint256 private constant _VALUE = 0x40;
  uint256 private constant _ACCOUNT = 0x60;
  uint256 private constant _SPENDER = 0x80;
  uint256 private constant _TOKEN = 0xa0;
  uint256 private constant _ALLOWANCE = 0xc0;
  uint256 private constant _PERIOD = 0xe0;
  uint256 private constant _START = 0x100;
  uint256 private constant _END = 0x120;
  uint256 private constant _SALT = 0x140;
  uint256 private constant _EXTRA_DATA_START = 0x160;
  uint256 private constant _EXTRA_DATA_LENGTH = 0x180;
  uint256 private constant _EXTRA_DATA = 0x1a0;

  /* ---------------------------------------- making ---------------------------------------- */

  /// @param extraData_ The permission's.
  function prepare(ISpendPermissionManager.SpendPermission calldata permission, bytes calldata extraData_)
    internal
    pure
    returns (SpendCall spendCall)
  {
    assembly ("memory-safe") {
      spendCall := mload(0x40)
      calldatacopy(add(spendCall, _ACCOUNT), permission, 0x100)
      mstore(add(spendCall, _EXTRA_DATA_LENGTH), extraData_.length)
      calldatacopy(add(spendCall, _EXTRA_DATA), extraData_.offset, extraData_.length)
      mstore(0x40, and(add(add(spendCall, extraData_.length), add(_EXTRA_DATA, 31)), not(31)))
    }
  }

  /// @notice A call with nothing filled in, and room for this much extraData.
  function allocate(uint256 extraDataLength) internal pure returns (SpendCall spendCall) {
    assembly ("memory-safe") {
      spendCall := mload(0x40)
      mstore(add(spendCall, _EXTRA_DATA_LENGTH), extraDataLength)
      mstore(0x40, and(add(add(spendCall, extraDataLength), add(_EXTRA_DATA, 31)), not(31)))
    }
  }

  /// @notice Fills in who: the first three fields of the permission.
  function setParties(SpendCall spendCall, address account_, address spender_, address token_) internal pure {
    assembly ("memory-safe") {
      mstore(add(spendCall, _ACCOUNT), account_)
      mstore(add(spendCall, _SPENDER), spender_)
      mstore(add(spendCall, _TOKEN), token_)
    }
  }

  /// @notice Fills in what: the next five.
  function setTerms(
    SpendCall spendCall,
    uint256 allowance,
    uint256 period,
    uint256 start_,
    uint256 end_,
    uint256 salt
  ) internal pure {
    assembly ("memory-safe") {
      mstore(add(spendCall, _ALLOWANCE), allowance)
      mstore(add(spendCall, _PERIOD), period)
      mstore(add(spendCall, _START), start_)
      mstore(add(spendCall, _END), end_)
      mstore(add(spendCall, _SALT), salt)
    }
  }

  /* ---------------------------------------- fields ---------------------------------------- */

  function account(SpendCall spendCall) internal pure returns (address) {
    return _address(spendCall, _ACCOUNT);
  }

  function spender(SpendCall spendCall) internal pure returns (address) {
    return _address(spendCall, _SPENDER);
  }

  function token(SpendCall spendCall) internal pure returns (address) {
    return _address(spendCall, _TOKEN);
  }

  function start(SpendCall spendCall) internal pure returns (uint256 time) {
    assembly ("memory-safe") {
      time := mload(add(spendCall, _START))
    }
  }

  function end(SpendCall spendCall) internal pure returns (uint256 time) {
    assembly ("memory-safe") {
      time := mload(add(spendCall, _END))
    }
  }

  /// @dev Not a copy: what is written there is written here.
  function extraData(SpendCall spendCall) internal pure returns (bytes memory data) {
    assembly ("memory-safe") {
      data := add(spendCall, _EXTRA_DATA_LENGTH)
    }
  }

  /// @dev Without the bits that an address does not have.
  function _address(SpendCall spendCall, uint256 at) private pure returns (address field) {
    assembly ("memory-safe") {
      field := shr(96, shl(96, mload(add(spendCall, at))))
    }
  }

  /* ---------------------------------------- hash and call ---------------------------------------- */

  /// @param domain SPM's, as `PermissionHash.domain`.
  function hash(SpendCall spendCall, bytes32 domain) internal pure returns (bytes32 result) {
    bytes32 typehash = PermissionHash.TYPEHASH;
    assembly ("memory-safe") {
      mstore(add(spendCall, _VALUE), typehash)
      let extraDataHash := keccak256(add(spendCall, _EXTRA_DATA), mload(add(spendCall, _EXTRA_DATA_LENGTH)))
      mstore(add(spendCall, _EXTRA_DATA_START), extraDataHash)
      let structHash := keccak256(add(spendCall, _VALUE), 0x140)
      // In the scratch space, whose end reaches into the free memory pointer's word.
      mstore(0x00, hex"1901")
      mstore(0x02, domain)
      mstore(0x22, structHash)
      result := keccak256(0x00, 0x42)
      mstore(0x22, 0)
    }
  }

  /// @notice `SPM.spend(permission, value)`.
  /// @dev Reverts as SPM does. Assumes that SPM has code.
  function send(SpendCall spendCall, uint256 value) internal {
    uint256 length = _prepareCall(spendCall, uint32(ISpendPermissionManager.spend.selector));
    address spm = address(PermissionHash.SPM);
    assembly ("memory-safe") {
      mstore(add(spendCall, _VALUE), value)
      if iszero(call(gas(), spm, 0, add(spendCall, 0x1c), length, 0, 0)) {
        returndatacopy(0, 0, returndatasize())
        revert(0, returndatasize())
      }
    }
  }

  /// @notice `SPM.isRevoked(permission)`; true as well if SPM does not answer.
  /// @dev SPM finds the permission by its start: that there is a word before it does not matter.
  function isRevoked(SpendCall spendCall) internal view returns (bool revoked) {
    uint256 length = _prepareCall(spendCall, uint32(ISpendPermissionManager.isRevoked.selector));
    address spm = address(PermissionHash.SPM);
    assembly ("memory-safe") {
      mstore(0x00, 1)
      let answered := staticcall(gas(), spm, add(spendCall, 0x1c), length, 0x00, 0x20)
      revoked := or(iszero(answered), iszero(iszero(mload(0x00))))
    }
  }

  /// @return length Of the calldata, which begins with the last four bytes of the selector's word.
  function _prepareCall(SpendCall spendCall, uint256 selector) private pure returns (uint256 length) {
    assembly ("memory-safe") {
      mstore(spendCall, selector)
      mstore(add(spendCall, 0x20), 0x40)
      mstore(add(spendCall, _EXTRA_DATA_START), 0x120)
      length := add(0x184, mload(add(spendCall, _EXTRA_DATA_LENGTH)))
    }
  }
}
