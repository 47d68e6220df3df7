// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @dev An agent that is a contract: it accepts one hash with one signature.
contract MockAgent {
  bytes32 private _hash;
  bytes32 private _signature;

  function accept(bytes32 hash, bytes calldata signature) external {
    (_hash, _signature) = (hash, keccak256(signature));
  }

  function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
    require(hash == _hash && keccak256(signature) == _signature, "not accepted");
    return 0x1626ba7e;
  }
}
