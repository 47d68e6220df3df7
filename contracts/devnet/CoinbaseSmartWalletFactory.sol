// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import { LibClone } from "solady/utils/LibClone.sol";

import { CoinbaseSmartWallet } from "./CoinbaseSmartWallet.sol";

/// @title CoinbaseSmartWalletFactory: devnet stand-in for the factory of version 1,
/// 0x0BA5ED0c6AA8c49038F819E587E2633c4A9F428a.
/// @notice Makes wallets at addresses that follow from their first owners and a nonce, the same as on Base.
/// @dev DEVNET STAND-IN. Written by us from published facts. Never deployed elsewhere, unaudited. Its runtime
/// code is placed at its address, so the implementation is a constant where the original has an immutable.
contract CoinbaseSmartWalletFactory {
  error OwnerRequired();

  /// @notice Makes the wallet, or answers with the one that is there. Passes ETH on either way.
  function createAccount(bytes[] calldata owners, uint256 nonce)
    external
    payable
    virtual
    returns (CoinbaseSmartWallet account)
  {
    if (owners.length == 0) revert OwnerRequired();

    (bool alreadyDeployed, address instance) =
      LibClone.createDeterministicERC1967(msg.value, implementation(), _salt(owners, nonce));
    account = CoinbaseSmartWallet(payable(instance));
    if (!alreadyDeployed) {
      _created(instance, owners, nonce);
      account.initialize(owners);
    }
  }

  function getAddress(bytes[] calldata owners, uint256 nonce) external view returns (address) {
    return LibClone.predictDeterministicAddress(initCodeHash(), _salt(owners, nonce), address(this));
  }

  /// @return The hash of the proxy's creation code.
  function initCodeHash() public view virtual returns (bytes32) {
    return LibClone.initCodeHashERC1967(implementation());
  }

  function implementation() public view virtual returns (address) {
    return 0x000100abaad02f1cfC8Bbe32bD5a564817339E72;
  }

  /// @dev What a version tells of a new wallet: version 1 nothing.
  function _created(address account, bytes[] calldata owners, uint256 nonce) internal virtual { }

  function _salt(bytes[] calldata owners, uint256 nonce) internal pure returns (bytes32) {
    return keccak256(abi.encode(owners, nonce));
  }
}

/// @title CoinbaseSmartWalletFactoryV1_1: devnet stand-in for the factory of version 1.1,
/// 0xBA5ED110eFDBa3D005bfC882d75358ACBbB85842.
contract CoinbaseSmartWalletFactoryV1_1 is CoinbaseSmartWalletFactory {
  event AccountCreated(address indexed account, bytes[] owners, uint256 nonce);

  function implementation() public pure override returns (address) {
    return 0x00000110dCdEdC9581cb5eCB8467282f2926534d;
  }

  function _created(address account, bytes[] calldata owners, uint256 nonce) internal override {
    emit AccountCreated(account, owners, nonce);
  }
}
