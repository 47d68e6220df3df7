// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import { SafeTransferLib } from "solady/utils/SafeTransferLib.sol";

import { FiatTokenRoles } from "./FiatTokenRoles.sol";

/// @title FiatTokenBase: devnet stand-in, part of FiatToken.
/// @notice ERC-20, minting and burning, and the rescue of tokens sent to the token.
/// @dev DEVNET STAND-IN for USDC. Written by us from published facts. Never deployed elsewhere, unaudited.
/// Storage slots 4 to 14 are those of the original: tools that write a balance into
/// `keccak256(abi.encode(account, 9))` work on both.
abstract contract FiatTokenBase is FiatTokenRoles {
  string public name;
  string public symbol;
  uint8 public decimals;
  string public currency;
  address public masterMinter;
  bool internal _initialized;

  /// @dev Slot 9. The top bit says that the account is blacklisted, the other 255 are its balance.
  mapping(address account => uint256) internal _balanceAndBlacklistStates;
  mapping(address owner => mapping(address spender => uint256)) internal _allowed;
  uint256 internal _totalSupply;
  mapping(address minter => bool) internal _minters;
  mapping(address minter => uint256) internal _minterAllowed;
  address public rescuer;

  uint256 private constant _BLACKLISTED = 1 << 255;

  event Transfer(address indexed from, address indexed to, uint256 value);
  event Approval(address indexed owner, address indexed spender, uint256 value);
  event Mint(address indexed minter, address indexed to, uint256 amount);
  event Burn(address indexed burner, uint256 amount);
  event MinterConfigured(address indexed minter, uint256 minterAllowedAmount);
  event MinterRemoved(address indexed oldMinter);
  event MasterMinterChanged(address indexed newMasterMinter);
  event RescuerChanged(address indexed newRescuer);

  modifier onlyMinters() {
    require(_minters[msg.sender], "FiatToken: caller is not a minter");
    _;
  }

  modifier onlyMasterMinter() {
    require(msg.sender == masterMinter, "FiatToken: caller is not the masterMinter");
    _;
  }

  /* ERC-20 */

  function transfer(address to, uint256 value)
    external
    whenNotPaused
    notBlacklisted(msg.sender)
    notBlacklisted(to)
    returns (bool)
  {
    _transfer(msg.sender, to, value);
    return true;
  }

  /// @notice An allowance of the type's maximum is spent like any other.
  function transferFrom(address from, address to, uint256 value)
    external
    whenNotPaused
    notBlacklisted(msg.sender)
    notBlacklisted(from)
    notBlacklisted(to)
    returns (bool)
  {
    require(value <= _allowed[from][msg.sender], "ERC20: transfer amount exceeds allowance");
    _transfer(from, to, value);
    _allowed[from][msg.sender] -= value;
    return true;
  }

  /// @notice Blacklisted accounts may approve and be approved: it is the transfer that is refused.
  function approve(address spender, uint256 value) external whenNotPaused returns (bool) {
    _approve(msg.sender, spender, value);
    return true;
  }

  function increaseAllowance(address spender, uint256 increment) external whenNotPaused returns (bool) {
    _approve(msg.sender, spender, _add(_allowed[msg.sender][spender], increment));
    return true;
  }

  function decreaseAllowance(address spender, uint256 decrement) external whenNotPaused returns (bool) {
    uint256 current = _allowed[msg.sender][spender];
    require(decrement <= current, "ERC20: decreased allowance below zero");
    _approve(msg.sender, spender, current - decrement);
    return true;
  }

  function totalSupply() external view returns (uint256) {
    return _totalSupply;
  }

  function balanceOf(address account) external view returns (uint256) {
    return _balanceOf(account);
  }

  function allowance(address owner, address spender) external view returns (uint256) {
    return _allowed[owner][spender];
  }

  /* MINTING */

  function mint(address _to, uint256 _amount)
    external
    whenNotPaused
    onlyMinters
    notBlacklisted(msg.sender)
    notBlacklisted(_to)
    returns (bool)
  {
    require(_to != address(0), "FiatToken: mint to the zero address");
    require(_amount > 0, "FiatToken: mint amount not greater than 0");
    uint256 allowedAmount = _minterAllowed[msg.sender];
    require(_amount <= allowedAmount, "FiatToken: mint amount exceeds minterAllowance");

    _totalSupply = _add(_totalSupply, _amount);
    _setBalance(_to, _add(_balanceOf(_to), _amount));
    _minterAllowed[msg.sender] = allowedAmount - _amount;
    emit Mint(msg.sender, _to, _amount);
    emit Transfer(address(0), _to, _amount);
    return true;
  }

  function burn(uint256 _amount) external whenNotPaused onlyMinters notBlacklisted(msg.sender) {
    uint256 balance = _balanceOf(msg.sender);
    require(_amount > 0, "FiatToken: burn amount not greater than 0");
    require(balance >= _amount, "FiatToken: burn amount exceeds balance");

    _totalSupply -= _amount;
    _setBalance(msg.sender, balance - _amount);
    emit Burn(msg.sender, _amount);
    emit Transfer(msg.sender, address(0), _amount);
  }

  function configureMinter(address minter, uint256 minterAllowedAmount)
    external
    whenNotPaused
    onlyMasterMinter
    returns (bool)
  {
    _minters[minter] = true;
    _minterAllowed[minter] = minterAllowedAmount;
    emit MinterConfigured(minter, minterAllowedAmount);
    return true;
  }

  function removeMinter(address minter) external onlyMasterMinter returns (bool) {
    _minters[minter] = false;
    _minterAllowed[minter] = 0;
    emit MinterRemoved(minter);
    return true;
  }

  function updateMasterMinter(address _newMasterMinter) external onlyOwner {
    require(_newMasterMinter != address(0), "FiatToken: new masterMinter is the zero address");
    masterMinter = _newMasterMinter;
    emit MasterMinterChanged(_newMasterMinter);
  }

  function minterAllowance(address minter) external view returns (uint256) {
    return _minterAllowed[minter];
  }

  function isMinter(address account) external view returns (bool) {
    return _minters[account];
  }

  /* RESCUING */

  function rescueERC20(address tokenContract, address to, uint256 amount) external {
    require(msg.sender == rescuer, "Rescuable: caller is not the rescuer");
    SafeTransferLib.safeTransfer(tokenContract, to, amount);
  }

  function updateRescuer(address newRescuer) external onlyOwner {
    require(newRescuer != address(0), "Rescuable: new rescuer is the zero address");
    rescuer = newRescuer;
    emit RescuerChanged(newRescuer);
  }

  /* BLACKLIST */

  function isBlacklisted(address _account) public view override returns (bool) {
    return _balanceAndBlacklistStates[_account] & _BLACKLISTED != 0;
  }

  function _setBlacklisted(address account, bool state) internal override {
    uint256 balance = _balanceOf(account);
    _balanceAndBlacklistStates[account] = state ? balance | _BLACKLISTED : balance;
  }

  /* INTERNAL */

  function _transfer(address from, address to, uint256 value) internal {
    require(from != address(0), "ERC20: transfer from the zero address");
    require(to != address(0), "ERC20: transfer to the zero address");
    require(value <= _balanceOf(from), "ERC20: transfer amount exceeds balance");

    _setBalance(from, _balanceOf(from) - value);
    _setBalance(to, _add(_balanceOf(to), value));
    emit Transfer(from, to, value);
  }

  function _approve(address owner, address spender, uint256 value) internal {
    require(owner != address(0), "ERC20: approve from the zero address");
    require(spender != address(0), "ERC20: approve to the zero address");
    _allowed[owner][spender] = value;
    emit Approval(owner, spender, value);
  }

  function _balanceOf(address account) internal view returns (uint256) {
    return _balanceAndBlacklistStates[account] & ~_BLACKLISTED;
  }

  /// @dev Also keeps the blacklist bit from being cleared or set by a balance.
  function _setBalance(address account, uint256 balance) internal {
    require(balance < _BLACKLISTED, "FiatTokenV2_2: Balance exceeds (2^255 - 1)");
    require(!isBlacklisted(account), "FiatTokenV2_2: Account is blacklisted");
    _balanceAndBlacklistStates[account] = balance;
  }

  /// @dev The original's revert string in place of a panic.
  function _add(uint256 a, uint256 b) private pure returns (uint256) {
    require(b <= type(uint256).max - a, "SafeMath: addition overflow");
    return a + b;
  }
}
