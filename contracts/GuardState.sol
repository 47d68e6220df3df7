// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { LibClone } from "solady/utils/LibClone.sol";

import { IHardcapGuard } from "./interfaces/IHardcapGuard.sol";
import { IPurseGuard } from "./interfaces/IPurse.sol";

/// @title GuardState
/// @notice The guard's storage: the meters of grants, their flags, and who may set which.
abstract contract GuardState is IHardcapGuard {
  /* ---------------------------------------- storage ---------------------------------------- */

  /// @dev One slot a grant: its total (112 bits, lowest), the spend of its last day (112), that day (24), and the
  ///      account's flags (8). A grant's key is the hash of its account, token and grantId.
  mapping(bytes32 grant => uint256 slot) internal _grants;

  /// @dev Flags of everybody but the account.
  mapping(bytes32 grant => mapping(address by => uint256 flags)) internal _flags;

  /// @dev Which numbers are used: one bit each, 256 to a lane.
  mapping(bytes32 grant => mapping(address agent => mapping(uint256 lane => uint256 bits))) internal _numbers;

  /// @dev Trailing windows, by their length.
  mapping(bytes32 grant => mapping(uint256 window => uint256 ring)) internal _windows;

  /// @dev What was spent on a task; fits 112 bits.
  mapping(bytes32 grant => mapping(bytes32 task => uint256 spent)) internal _tasks;

  uint256 internal constant _PAUSED = 1;
  uint256 internal constant _REVOKED = 2;
  /// @dev Among the account's flags: somebody else has set one. Until then payments need not look for any.
  uint256 internal constant _OTHERS = 4;

  uint256 internal constant _DAY_SPENT_OFFSET = 112;
  uint256 internal constant _DAY_OFFSET = 224;
  uint256 internal constant _FLAGS_OFFSET = 248;

  uint112 internal constant _UNLIMITED = type(uint112).max;

  /// @dev What every purse is a clone of.
  address internal immutable _PURSE;

  constructor(address purse) {
    _PURSE = purse;
  }

  /* ---------------------------------------- flags ---------------------------------------- */

  /// @inheritdoc IHardcapGuard
  function pause(address account, address token, bytes32 grantId) external {
    _setFlags(account, token, grantId, _flagsOf(account, token, grantId, msg.sender) | _PAUSED);
    emit Paused(account, grantId, msg.sender, token);
  }

  /// @inheritdoc IHardcapGuard
  function resume(address account, address token, bytes32 grantId) external {
    _setFlags(account, token, grantId, _flagsOf(account, token, grantId, msg.sender) & ~_PAUSED);
    emit Resumed(account, grantId, msg.sender, token);
  }

  /// @inheritdoc IHardcapGuard
  function revokeGrant(address account, address token, bytes32 grantId) public {
    _setFlags(account, token, grantId, _flagsOf(account, token, grantId, msg.sender) | _REVOKED);
    emit Revoked(account, grantId, msg.sender, token);
  }

  /// @dev The account's own are with its meters, where every payment reads them anyway.
  function _flagsOf(address account, address token, bytes32 grantId, address by)
    private
    view
    returns (uint256)
  {
    bytes32 grant = _grantOf(account, token, grantId);
    return by == account ? _grants[grant] >> _FLAGS_OFFSET : _flags[grant][by];
  }

  function _setFlags(address account, address token, bytes32 grantId, uint256 flags) private {
    bytes32 grant = _grantOf(account, token, grantId);
    if (msg.sender == account) {
      uint256 meters = _grants[grant] << (256 - _FLAGS_OFFSET) >> (256 - _FLAGS_OFFSET);
      _grants[grant] = flags << _FLAGS_OFFSET | meters;
    } else {
      _flags[grant][msg.sender] = flags;
      _grants[grant] |= _OTHERS << _FLAGS_OFFSET;
    }
  }

  /* ---------------------------------------- reading ---------------------------------------- */

  function _grantOf(address account, address token, bytes32 grantId) internal pure returns (bytes32) {
    return keccak256(abi.encode(account, token, grantId));
  }

  /// @dev Ever, and today.
  function _spentOf(uint256 slot) internal view returns (uint256 total, uint256 daySpent) {
    total = uint112(slot);
    if (uint24(slot >> _DAY_OFFSET) == _today()) daySpent = uint112(slot >> _DAY_SPENT_OFFSET);
  }

  /// @dev The UTC day.
  function _today() internal view returns (uint256) {
    return block.timestamp / 1 days;
  }

  /// @inheritdoc IHardcapGuard
  function purseOf(address account, address token, bytes32 grantId, address agent)
    public
    view
    returns (address)
  {
    return LibClone.predictDeterministicAddress(
      _PURSE, _purseArguments(account, token, grantId, agent), bytes32(0), address(this)
    );
  }

  function _purseArguments(address account, address token, bytes32 grantId, address agent)
    internal
    pure
    returns (bytes memory)
  {
    return abi.encodePacked(account, token, grantId, agent);
  }

  /// @inheritdoc IHardcapGuard
  function isUsed(address account, address token, bytes32 grantId, address agent, uint256 number)
    external
    view
    returns (bool)
  {
    uint256 bits = _numbers[_grantOf(account, token, grantId)][agent][number >> 8];
    return bits >> (number & 0xff) & 1 != 0;
  }

  /// @inheritdoc IPurseGuard
  function stops(address account, address token, bytes32 grantId, address orchestrator, address agent)
    external
    view
    returns (bool paused, bool revoked)
  {
    uint256 flags =
      _flagsOf(account, token, grantId, account) | _flagsOf(account, token, grantId, orchestrator);
    paused = flags & _PAUSED != 0;
    revoked = (flags | _flagsOf(account, token, grantId, agent)) & _REVOKED != 0;
  }
}
