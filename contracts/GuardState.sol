// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { EfficientHashLib } from "solady/utils/EfficientHashLib.sol";
import { LibClone } from "solady/utils/LibClone.sol";

import { IHardcapGuard } from "./interfaces/IHardcapGuard.sol";
import { IPurseGuard } from "./interfaces/IPurse.sol";

/// @title GuardState
/// @notice What the guard keeps of each grant, and the flags by which it is stopped.
abstract contract GuardState is IHardcapGuard {
  /* ---------------------------------------- storage ---------------------------------------- */

  /// @dev A slot by reference: to read it and then write it, its place is computed once.
  struct Slot {
    uint256 value;
  }

  struct Grant {
    /// @dev One slot: the total (112 bits, lowest), the spend of the last day (112), that day (24), flags (8).
    uint256 meters;
    /// @dev Of everybody but the account.
    mapping(address by => uint256) flags;
    /// @dev Which payment numbers are used: one bit each, 256 to a lane.
    mapping(address agent => mapping(uint256 lane => Slot)) numbers;
    /// @dev Trailing windows, by their length.
    mapping(uint256 window => Slot) windows;
    /// @dev What was spent on each task; fits 112 bits.
    mapping(bytes32 task => Slot) tasks;
  }

  uint256 internal constant _DAY_SPENT_OFFSET = 112;
  uint256 internal constant _DAY_OFFSET = 224;
  uint256 internal constant _FLAGS_OFFSET = 248;

  uint256 internal constant _PAUSED = 1;
  uint256 internal constant _REVOKED = 2;
  /// @dev With the meters only: somebody but the account has set a flag. Until then no payment looks for one.
  uint256 internal constant _OTHERS = 4;

  uint112 internal constant _UNLIMITED = type(uint112).max;

  /// @dev What every purse is a clone of.
  address internal immutable _PURSE;

  constructor(address purse) {
    _PURSE = purse;
  }

  /* ---------------------------------------- flags ---------------------------------------- */

  /// @inheritdoc IHardcapGuard
  function pause(address account, address token, bytes32 grantId) external {
    Grant storage grant = _grantOf(account, token, grantId);
    _setFlags(grant, account, _flagsOf(grant, account, msg.sender) | _PAUSED);
    emit Paused(account, grantId, msg.sender, token);
  }

  /// @inheritdoc IHardcapGuard
  function resume(address account, address token, bytes32 grantId) external {
    Grant storage grant = _grantOf(account, token, grantId);
    _setFlags(grant, account, _flagsOf(grant, account, msg.sender) & ~_PAUSED);
    emit Resumed(account, grantId, msg.sender, token);
  }

  /// @inheritdoc IHardcapGuard
  function revokeGrant(address account, address token, bytes32 grantId) public {
    Grant storage grant = _grantOf(account, token, grantId);
    _setFlags(grant, account, _flagsOf(grant, account, msg.sender) | _REVOKED);
    emit Revoked(account, grantId, msg.sender, token);
  }

  /// @dev The account's own are with the meters, which every payment reads anyway.
  function _setFlags(Grant storage grant, address account, uint256 flags) private {
    if (msg.sender == account) {
      uint256 meters = grant.meters & type(uint248).max;
      grant.meters = flags << _FLAGS_OFFSET | meters;
    } else {
      grant.flags[msg.sender] = flags;
      grant.meters |= _OTHERS << _FLAGS_OFFSET;
    }
  }

  function _flagsOf(Grant storage grant, address account, address by) private view returns (uint256) {
    return by == account ? grant.meters >> _FLAGS_OFFSET : grant.flags[by];
  }

  /* ---------------------------------------- reading ---------------------------------------- */

  /// @dev All storage of the guard is in grants, each at the hash of what it belongs to.
  function _grantOf(address account, address token, bytes32 grantId)
    internal
    pure
    returns (Grant storage grant)
  {
    bytes32 slot = EfficientHashLib.hash(uint160(account), uint160(token), uint256(grantId));
    assembly ("memory-safe") {
      grant.slot := slot
    }
  }

  /// @inheritdoc IPurseGuard
  function stops(address account, address token, bytes32 grantId, address orchestrator, address agent)
    external
    view
    returns (bool paused, bool revoked)
  {
    Grant storage grant = _grantOf(account, token, grantId);
    uint256 flags = grant.meters >> _FLAGS_OFFSET;
    (uint256 orchestratorFlags, uint256 agentFlags) = _othersFlags(grant, flags, orchestrator, agent);
    paused = (flags | orchestratorFlags) & _PAUSED != 0;
    revoked = (flags | orchestratorFlags | agentFlags) & _REVOKED != 0;
  }

  /// @dev Looked for only where anybody has set one. Nobody can have set one as the zero address.
  function _othersFlags(Grant storage grant, uint256 flags, address orchestrator, address agent)
    internal
    view
    returns (uint256 orchestratorFlags, uint256 agentFlags)
  {
    if (flags & _OTHERS != 0) {
      orchestratorFlags = grant.flags[orchestrator];
      agentFlags = grant.flags[agent];
    }
  }

  /// @inheritdoc IHardcapGuard
  function isUsed(address account, address token, bytes32 grantId, address agent, uint256 number)
    external
    view
    returns (bool)
  {
    return _isUsed(_grantOf(account, token, grantId), agent, number);
  }

  function _isUsed(Grant storage grant, address agent, uint256 number) internal view returns (bool) {
    return grant.numbers[agent][number >> 8].value >> (number & 0xff) & 1 != 0;
  }

  /// @dev What was spent ever, and on this UTC day.
  function _spentOf(uint256 meters, uint256 today) internal pure returns (uint256 total, uint256 daySpent) {
    total = meters & type(uint112).max;
    uint256 day = meters >> _DAY_OFFSET & type(uint24).max;
    if (day == today) daySpent = meters >> _DAY_SPENT_OFFSET & type(uint112).max;
  }

  /// @dev The UTC day. Unchecked, as nothing can go wrong that the compiler would pay to look for.
  function _today() internal view returns (uint256) {
    unchecked {
      return block.timestamp / 1 days;
    }
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
}
