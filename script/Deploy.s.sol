// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import { console } from "forge-std/console.sol";
import { Script } from "forge-std/Script.sol";

import { HardcapGuard } from "../contracts/HardcapGuard.sol";

/// @title Deploy
/// @notice Puts the guard, and the purses' implementation with it, at an address that is the same on every chain:
///         `forge script script/Deploy.s.sol --rpc-url ... --broadcast`. Where it is already there, it only checks.
/// @dev The address follows from the deployer, the salt and the creation code: `keccak256` of `bytecode.object` in
///      `out/HardcapGuard.sol/HardcapGuard.json`.
contract Deploy is Script {
  /// @notice The standard CREATE2 deployer: 32 bytes of salt, then the creation code.
  address public constant DEPLOYER = 0x4e59b44847b379578588920cA78FbF26c0B4956C;

  bytes32 public constant DEPLOYER_CODE_HASH =
    0x2fa86add0aed31f33a762c9d88e807c475bd51d0f52bd0955754b2608f7e4989;

  bytes32 public constant SALT = 0;

  /// @notice There is no deployer on this chain, or not the standard one.
  error NoDeployer(bytes32 codeHash);

  /// @notice The guard's constructor reverted: SPM is not on this chain, or gas ran out.
  error NotDeployed(bytes answer);

  /// @notice The code at the guard's address is not what this build's creation code leaves there.
  error WrongCode(bytes32 actual, bytes32 expected);

  function run() external returns (address guard) {
    guard = addressOf();
    bytes32 expected = expectedCodeHash();
    if (guard.code.length != 0) {
      console.log("HardcapGuard: already deployed at", guard);
    } else {
      _deploy();
      console.log("HardcapGuard: deployed at", guard);
    }
    if (guard.codehash != expected) revert WrongCode(guard.codehash, expected);
    console.log("Purse, the implementation:", HardcapGuard(guard).purseImplementation());
  }

  /// @notice Where the guard is, or will be.
  function addressOf() public pure returns (address) {
    return vm.computeCreate2Address(SALT, keccak256(type(HardcapGuard).creationCode), DEPLOYER);
  }

  /// @notice What the creation code leaves at that address. Not a constant: the guard remembers its chain.
  /// @dev Found by running it there, in a copy of the state that is thrown away.
  function expectedCodeHash() public returns (bytes32 codeHash) {
    uint256 snapshot = vm.snapshotState();
    address guard = addressOf();
    address purse = vm.computeCreateAddress(guard, 1);
    vm.etch(purse, "");
    vm.resetNonce(purse);
    vm.etch(guard, type(HardcapGuard).creationCode);
    vm.setNonceUnsafe(guard, 1);
    (bool ok, bytes memory code) = guard.call("");
    vm.revertToStateAndDelete(snapshot);
    if (!ok) revert NotDeployed(code);
    return keccak256(code);
  }

  function _deploy() private {
    if (DEPLOYER.codehash != DEPLOYER_CODE_HASH) revert NoDeployer(DEPLOYER.codehash);
    vm.broadcast();
    (bool ok, bytes memory answer) = DEPLOYER.call(abi.encodePacked(SALT, type(HardcapGuard).creationCode));
    if (!ok || addressOf().code.length == 0) revert NotDeployed(answer);
  }
}
