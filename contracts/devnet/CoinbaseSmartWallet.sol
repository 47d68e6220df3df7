// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import { Receiver } from "solady/accounts/Receiver.sol";
import { SafeTransferLib } from "solady/utils/SafeTransferLib.sol";
import { SignatureCheckerLib } from "solady/utils/SignatureCheckerLib.sol";
import { WebAuthn } from "solady/utils/WebAuthn.sol";

import { ERC1271 } from "./ERC1271.sol";
import { MultiOwnable } from "./MultiOwnable.sol";

/// @dev ERC-4337 v0.6.
struct UserOperation {
  address sender;
  uint256 nonce;
  bytes initCode;
  bytes callData;
  uint256 callGasLimit;
  uint256 verificationGasLimit;
  uint256 preVerificationGas;
  uint256 maxFeePerGas;
  uint256 maxPriorityFeePerGas;
  bytes paymasterAndData;
  bytes signature;
}

/// @title CoinbaseSmartWallet: devnet stand-in for the implementation behind Coinbase Smart Wallets, version 1.
/// @notice Address and passkey owners, calls by owners and by the EntryPoint, replay-safe ERC-1271.
/// @dev DEVNET STAND-IN. Written by us from published facts, so that hardcap can be tested where Base cannot be
/// reached. Never deployed elsewhere, unaudited. Its runtime code is placed at the address in `_self`
/// with empty storage: no constructor, no immutables. Wallets are the factory's ERC-1967 proxies to it.
contract CoinbaseSmartWallet is MultiOwnable, ERC1271, Receiver {
  struct Call {
    address target;
    uint256 value;
    bytes data;
  }

  /// @dev What a signature is: who signed, and for an address owner the ECDSA or ERC-1271 signature,
  /// for a passkey an `abi.encode`d `WebAuthn.WebAuthnAuth`.
  struct SignatureWrapper {
    uint256 ownerIndex;
    bytes signatureData;
  }

  /// @notice The nonce key that user operations without a chain id have to use, and no others may.
  uint256 public constant REPLAYABLE_NONCE_KEY = 8453;

  bytes32 private constant _ERC1967_IMPLEMENTATION_SLOT =
    0x360894a13ba1a3210667c828492db98dca3e2076cc3735a920a3ca505d382bbc;

  event Upgraded(address indexed implementation);

  error Initialized();
  error SelectorNotAllowed(bytes4 selector);
  error InvalidNonceKey(uint256 key);
  error UpgradeFailed();
  error UnauthorizedCallContext();

  modifier onlyEntryPoint() {
    if (msg.sender != entryPoint()) revert Unauthorized();
    _;
  }

  modifier onlyEntryPointOrOwner() {
    if (msg.sender != entryPoint()) _checkOwner();
    _;
  }

  /* SETTING UP */

  /// @notice Sets the first owners, once. The implementation itself has no owners and never gets any.
  function initialize(bytes[] calldata owners) external payable virtual {
    if (nextOwnerIndex() != 0 || address(this) == _self()) revert Initialized();
    _initializeOwners(owners);
  }

  /* EXECUTING */

  function execute(address target, uint256 value, bytes calldata data)
    external
    payable
    virtual
    onlyEntryPointOrOwner
  {
    _call(target, value, data);
  }

  function executeBatch(Call[] calldata calls) external payable virtual onlyEntryPointOrOwner {
    for (uint256 i; i < calls.length; ++i) {
      _call(calls[i].target, calls[i].value, calls[i].data);
    }
  }

  /// @notice Calls of the wallet to itself that one signature allows on every chain.
  function executeWithoutChainIdValidation(bytes[] calldata calls) external payable virtual onlyEntryPoint {
    for (uint256 i; i < calls.length; ++i) {
      bytes4 selector = bytes4(calls[i]);
      if (!canSkipChainIdValidation(selector)) revert SelectorNotAllowed(selector);
      _call(address(this), 0, calls[i]);
    }
  }

  /// @return Whether the selector is one of the owner changes or the upgrade.
  function canSkipChainIdValidation(bytes4 functionSelector) public pure returns (bool) {
    return functionSelector == MultiOwnable.addOwnerPublicKey.selector
      || functionSelector == MultiOwnable.addOwnerAddress.selector
      || functionSelector == MultiOwnable.removeOwnerAtIndex.selector
      || functionSelector == MultiOwnable.removeLastOwner.selector
      || functionSelector == this.upgradeToAndCall.selector;
  }

  /* ERC-4337 */

  /// @return validationData 0 if an owner signed, 1 if not.
  function validateUserOp(UserOperation calldata userOp, bytes32 userOpHash, uint256 missingAccountFunds)
    external
    virtual
    onlyEntryPoint
    returns (uint256 validationData)
  {
    uint256 key = userOp.nonce >> 64;
    bool isReplayable = bytes4(userOp.callData) == this.executeWithoutChainIdValidation.selector;
    if (isReplayable != (key == REPLAYABLE_NONCE_KEY)) revert InvalidNonceKey(key);
    if (isReplayable) {
      _checkReplayable(userOp.callData);
      userOpHash = getUserOpHashWithoutChainId(userOp);
    }

    validationData = _isValidSignature(userOpHash, userOp.signature) ? 0 : 1;

    // Whether this was enough is for the EntryPoint to see, so the result does not matter here.
    if (missingAccountFunds != 0) {
      SafeTransferLib.trySafeTransferETH(msg.sender, missingAccountFunds, gasleft());
    }
  }

  function getUserOpHashWithoutChainId(UserOperation calldata userOp) public view virtual returns (bytes32) {
    bytes memory packed = abi.encode(
      userOp.sender,
      userOp.nonce,
      keccak256(userOp.initCode),
      keccak256(userOp.callData),
      userOp.callGasLimit,
      userOp.verificationGasLimit,
      userOp.preVerificationGas,
      userOp.maxFeePerGas,
      userOp.maxPriorityFeePerGas,
      keccak256(userOp.paymasterAndData)
    );
    return keccak256(abi.encode(keccak256(packed), entryPoint()));
  }

  function entryPoint() public view virtual returns (address) {
    return 0x5FF137D4b0FDCD49DcA30c7CF57E578a026d2789;
  }

  /* UPGRADING */

  /// @return $ The implementation that this wallet delegates to; zero on the implementation itself.
  function implementation() external view returns (address $) {
    assembly ("memory-safe") {
      $ := sload(_ERC1967_IMPLEMENTATION_SLOT)
    }
  }

  function proxiableUUID() external view virtual returns (bytes32) {
    if (address(this) != _self()) revert UnauthorizedCallContext();
    return _ERC1967_IMPLEMENTATION_SLOT;
  }

  /// @notice Upgrades the wallet, and then calls itself with `data` if there is any.
  function upgradeToAndCall(address newImplementation, bytes calldata data) external payable virtual {
    if (address(this) == _self()) revert UnauthorizedCallContext();
    _checkOwner();

    (bool ok, bytes memory answer) =
      newImplementation.staticcall(abi.encodeCall(CoinbaseSmartWallet.proxiableUUID, ()));
    if (!ok || answer.length < 32 || abi.decode(answer, (bytes32)) != _ERC1967_IMPLEMENTATION_SLOT) {
      revert UpgradeFailed();
    }

    emit Upgraded(newImplementation);
    assembly ("memory-safe") {
      sstore(_ERC1967_IMPLEMENTATION_SLOT, newImplementation)
    }
    if (data.length != 0) {
      (ok, answer) = newImplementation.delegatecall(data);
      _bubble(ok, answer);
    }
  }

  /* INTERNAL */

  /// @dev The address that this code is meant for, in place of an immutable.
  function _self() internal pure virtual returns (address) {
    return 0x000100abaad02f1cfC8Bbe32bD5a564817339E72;
  }

  /// @dev What a version checks of the call data of a replayable operation: version 1 nothing.
  function _checkReplayable(bytes calldata callData) internal view virtual { }

  function _isValidSignature(bytes32 hash, bytes calldata signature)
    internal
    view
    virtual
    override
    returns (bool)
  {
    SignatureWrapper memory wrapper = abi.decode(signature, (SignatureWrapper));
    bytes memory owner = ownerAtIndex(wrapper.ownerIndex);

    if (owner.length == 32) {
      if (abi.decode(owner, (uint256)) > type(uint160).max) revert InvalidEthereumAddressOwner(owner);
      return
        SignatureCheckerLib.isValidSignatureNow(abi.decode(owner, (address)), hash, wrapper.signatureData);
    }
    if (owner.length == 64) {
      (bytes32 x, bytes32 y) = abi.decode(owner, (bytes32, bytes32));
      WebAuthn.WebAuthnAuth memory auth = abi.decode(wrapper.signatureData, (WebAuthn.WebAuthnAuth));
      return WebAuthn.verify(abi.encode(hash), false, auth, x, y);
    }
    // No owner at this index, or not any more.
    revert InvalidOwnerBytesLength(owner);
  }

  function _call(address target, uint256 value, bytes calldata data) internal {
    (bool ok, bytes memory answer) = target.call{ value: value }(data);
    _bubble(ok, answer);
  }

  function _bubble(bool ok, bytes memory answer) private pure {
    if (ok) return;
    assembly ("memory-safe") {
      revert(add(answer, 0x20), mload(answer))
    }
  }
}

/// @title CoinbaseSmartWalletV1_1: devnet stand-in for the implementation of version 1.1.
/// @notice As version 1, but an upgrade for all chains needs its implementation to be there on this one.
contract CoinbaseSmartWalletV1_1 is CoinbaseSmartWallet {
  error InvalidImplementation(address implementation);

  function _self() internal pure override returns (address) {
    return 0x00000110dCdEdC9581cb5eCB8467282f2926534d;
  }

  /// @dev Without this, replaying an upgrade on a chain that lacks the new implementation would brick the wallet.
  function _checkReplayable(bytes calldata callData) internal view override {
    bytes[] memory calls = abi.decode(callData[4:], (bytes[]));
    for (uint256 i; i < calls.length; ++i) {
      if (bytes4(calls[i]) != this.upgradeToAndCall.selector) continue;
      bytes memory data = calls[i];
      address newImplementation;
      assembly ("memory-safe") {
        newImplementation := mload(add(data, 0x24))
      }
      if (newImplementation.code.length == 0) revert InvalidImplementation(newImplementation);
    }
  }
}
