// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title FiatTokenRoles: devnet stand-in, part of FiatToken.
/// @notice The owner, who names everybody else; the pauser, who stops everything; the blacklister, who stops one
/// account.
/// @dev DEVNET STAND-IN for USDC. Written by us from published facts. Never deployed elsewhere, unaudited.
/// Storage slots 0 to 3 are those of the original.
abstract contract FiatTokenRoles {
  address private _owner;
  address public pauser;
  bool public paused;
  address public blacklister;
  /// @dev Slot 3 held the blacklist before version 2.2, which keeps it in the balances' top bit.
  mapping(address account => bool) internal _deprecatedBlacklisted;

  event OwnershipTransferred(address previousOwner, address newOwner);
  event Pause();
  event Unpause();
  event PauserChanged(address indexed newAddress);
  event Blacklisted(address indexed _account);
  event UnBlacklisted(address indexed _account);
  event BlacklisterChanged(address indexed newBlacklister);

  modifier onlyOwner() {
    require(msg.sender == _owner, "Ownable: caller is not the owner");
    _;
  }

  modifier onlyPauser() {
    require(msg.sender == pauser, "Pausable: caller is not the pauser");
    _;
  }

  modifier onlyBlacklister() {
    require(msg.sender == blacklister, "Blacklistable: caller is not the blacklister");
    _;
  }

  modifier whenNotPaused() {
    require(!paused, "Pausable: paused");
    _;
  }

  modifier notBlacklisted(address account) {
    require(!isBlacklisted(account), "Blacklistable: account is blacklisted");
    _;
  }

  /* OWNER */

  function owner() external view returns (address) {
    return _owner;
  }

  function transferOwnership(address newOwner) external onlyOwner {
    require(newOwner != address(0), "Ownable: new owner is the zero address");
    emit OwnershipTransferred(_owner, newOwner);
    _owner = newOwner;
  }

  function updatePauser(address _newPauser) external onlyOwner {
    require(_newPauser != address(0), "Pausable: new pauser is the zero address");
    pauser = _newPauser;
    emit PauserChanged(_newPauser);
  }

  function updateBlacklister(address _newBlacklister) external onlyOwner {
    require(_newBlacklister != address(0), "Blacklistable: new blacklister is the zero address");
    blacklister = _newBlacklister;
    emit BlacklisterChanged(_newBlacklister);
  }

  /* PAUSER */

  function pause() external onlyPauser {
    paused = true;
    emit Pause();
  }

  function unpause() external onlyPauser {
    paused = false;
    emit Unpause();
  }

  /* BLACKLISTER */

  function blacklist(address _account) external onlyBlacklister {
    _setBlacklisted(_account, true);
    emit Blacklisted(_account);
  }

  function unBlacklist(address _account) external onlyBlacklister {
    _setBlacklisted(_account, false);
    emit UnBlacklisted(_account);
  }

  function isBlacklisted(address _account) public view virtual returns (bool);

  /* INTERNAL */

  function _setOwner(address newOwner) internal {
    _owner = newOwner;
  }

  function _setBlacklisted(address account, bool state) internal virtual;
}
