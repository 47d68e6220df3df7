// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import { EIP2612 } from "./EIP2612.sol";
import { EIP3009 } from "./EIP3009.sol";

/// @title FiatToken: devnet stand-in for FiatTokenV2_2, the implementation behind USDC on Base,
/// 0x2Ce6311ddAE708829bc0784C967b7d77D19FD779.
/// @dev DEVNET STAND-IN. Written by us from published facts (ABI, storage layout, documented behaviour, revert
/// strings), so that hardcap can be tested where Base cannot be reached. Never deployed elsewhere, unaudited.
/// Its runtime code is placed at its address with empty storage; FiatTokenProxy holds the token's state.
contract FiatToken is EIP3009, EIP2612 {
  /// @dev Slot 18. How many of the upgrades' initializers have run: V2, V2_1, V2_2.
  uint8 internal _initializedVersion;

  function initialize(
    string memory tokenName,
    string memory tokenSymbol,
    string memory tokenCurrency,
    uint8 tokenDecimals,
    address newMasterMinter,
    address newPauser,
    address newBlacklister,
    address newOwner
  ) external {
    require(!_initialized, "FiatToken: contract is already initialized");
    require(newMasterMinter != address(0), "FiatToken: new masterMinter is the zero address");
    require(newPauser != address(0), "FiatToken: new pauser is the zero address");
    require(newBlacklister != address(0), "FiatToken: new blacklister is the zero address");
    require(newOwner != address(0), "FiatToken: new owner is the zero address");

    name = tokenName;
    symbol = tokenSymbol;
    currency = tokenCurrency;
    decimals = tokenDecimals;
    masterMinter = newMasterMinter;
    pauser = newPauser;
    blacklister = newBlacklister;
    _setOwner(newOwner);
    _initialized = true;
  }

  function initializeV2(string calldata newName) external {
    require(_initialized && _initializedVersion == 0);
    name = newName;
    _initializedVersion = 1;
  }

  /// @notice Moves what was sent to the token itself, and blacklists it so that nothing is any more.
  function initializeV2_1(address lostAndFound) external {
    require(_initializedVersion == 1);
    uint256 locked = _balanceOf(address(this));
    if (locked > 0) _transfer(address(this), lostAndFound, locked);
    _deprecatedBlacklisted[address(this)] = true;
    _initializedVersion = 2;
  }

  /// @notice Moves the blacklist from slot 3 into the balances.
  function initializeV2_2(address[] calldata accountsToBlacklist, string calldata newSymbol) external {
    require(_initializedVersion == 2);
    symbol = newSymbol;
    for (uint256 i; i < accountsToBlacklist.length; ++i) {
      address account = accountsToBlacklist[i];
      require(
        _deprecatedBlacklisted[account], "FiatTokenV2_2: Blacklisting previously unblacklisted account!"
      );
      _setBlacklisted(account, true);
      delete _deprecatedBlacklisted[account];
    }
    _setBlacklisted(address(this), true);
    delete _deprecatedBlacklisted[address(this)];
    _initializedVersion = 3;
  }
}
